"""A note that is kept in the home, an answer that the server computes, and a file that goes up and comes down."""

from pathlib import Path
from shutil import copy

import gradio as gr

note = Path.home() / 'note.txt'
shelf = Path.home() / 'files'
shelf.mkdir(exist_ok=True)


def load():
    return note.read_text() if note.exists() else 'nothing'


def save(text):
    note.write_text(text)
    return load()


def shout(words):
    return words.upper()


def keep(path):
    return str(copy(path, shelf / Path(path).name)) if path else None


def add(before):
    return before + 1


with gr.Blocks(title='Notes') as page:
    text = gr.Textbox(label='Note', elem_id='note')
    capitals = gr.Textbox(label='In capitals', elem_id='capitals', interactive=False)
    saved = gr.Textbox(label='Saved', elem_id='saved', interactive=False)
    count = gr.Number(0, label='Counted', elem_id='count', interactive=False)
    gr.Button('Count', elem_id='add').click(add, count, count)
    gr.Button('Save', elem_id='save').click(save, text, saved)
    text.change(shout, text, capitals)
    uploaded = gr.File(label='File', elem_id='upload')
    kept = gr.File(label='Kept', elem_id='kept', interactive=False)
    uploaded.upload(keep, uploaded, kept)
    page.load(load, None, saved)

page.launch(allowed_paths=[str(shelf)])
