"""A note that is kept in the home, a counter that lives in the session, and a file that goes up and comes down."""

from pathlib import Path

import streamlit as st

note = Path.home() / 'note.txt'
shelf = Path.home() / 'files'
shelf.mkdir(exist_ok=True)

st.title('Notes')

st.session_state.setdefault('note', note.read_text() if note.exists() else '')
text = st.text_input('Note', key='note')
st.write(f'In capitals: {text.upper()}')
if st.button('Save'):
    note.write_text(text)
st.write('Saved:', note.read_text() if note.exists() else 'nothing')

st.session_state.setdefault('count', 0)
if st.button('Count'):
    st.session_state.count += 1
st.write(f'Counted: {st.session_state.count}')

uploaded = st.file_uploader('File')
if uploaded is not None:
    (shelf / Path(uploaded.name).name).write_bytes(uploaded.getbuffer())
for kept in sorted(shelf.iterdir()):
    st.download_button(f'Download {kept.name}', kept.read_bytes(), file_name=kept.name)
