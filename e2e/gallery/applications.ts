// The applications of the gallery.
import type { Application } from './application.ts'
import { codeServer } from './drivers/code-server.ts'
import { desktop } from './drivers/desktop.ts'
import { gradio } from './drivers/gradio.ts'
import { marimo } from './drivers/marimo.ts'
import { mlflow } from './drivers/mlflow.ts'
import { nodeRed } from './drivers/node-red.ts'
import { notebook } from './drivers/notebook.ts'
import { pgadmin } from './drivers/pgadmin.ts'
import { shellinabox } from './drivers/shellinabox.ts'
import { shiny } from './drivers/shiny.ts'
import { streamlit } from './drivers/streamlit.ts'
import { tensorboard } from './drivers/tensorboard.ts'
import { webdav } from './drivers/webdav.ts'
import { wetty } from './drivers/wetty.ts'

export const applications: readonly Application[] = [
  codeServer,
  desktop,
  gradio,
  marimo,
  mlflow,
  nodeRed,
  notebook,
  pgadmin,
  shellinabox,
  shiny,
  streamlit,
  tensorboard,
  webdav,
  wetty,
]
