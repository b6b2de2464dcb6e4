"""Writes a first run, so that there is something to see, unless the home has runs already."""

from pathlib import Path
from math import exp

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

runs = Path.home() / 'runs'
if not runs.exists():
    writer = EventFileWriter(str(runs / 'example'))
    for step in range(100):
        loss = Summary.Value(tag='loss', simple_value=exp(-step / 30))
        writer.add_event(Event(step=step, wall_time=1_700_000_000 + step, summary=Summary(value=[loss])))
    writer.close()
