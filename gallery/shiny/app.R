# A note that is kept in the home, an answer that the server computes, and a file that goes up and comes down.
library(shiny)
options(shiny.maxRequestSize = 100 * 1024^2)

note <- path.expand('~/note.txt')
shelf <- path.expand('~/files')
dir.create(shelf, showWarnings = FALSE)

page <- fluidPage(
  titlePanel('Notes'),
  textInput('note', 'Note'),
  actionButton('save', 'Save'),
  actionButton('count', 'Count'),
  p('In capitals: ', textOutput('capitals', inline = TRUE)),
  p('Saved: ', textOutput('saved', inline = TRUE)),
  p('Counted: ', textOutput('counted', inline = TRUE)),
  fileInput('file', 'File'),
  downloadButton('kept', 'Download the last file')
)

server <- function(input, output, session) {
  saved <- reactiveVal(if (file.exists(note)) readLines(note) else 'nothing')
  observeEvent(input$save, {
    writeLines(input$note, note)
    saved(input$note)
  })
  observeEvent(input$file, file.copy(input$file$datapath, file.path(shelf, 'last'), overwrite = TRUE))
  output$capitals <- renderText(toupper(input$note))
  output$saved <- renderText(saved())
  output$counted <- renderText(input$count)
  output$kept <- downloadHandler('last', function(file) file.copy(file.path(shelf, 'last'), file))
}

shinyApp(page, server)
