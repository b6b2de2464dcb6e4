// An Express application that does not name itself in headers and does not normalize paths and queries.
import express, { type Express } from 'express'

export function createApplication(): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', 'simple')
  app.enable('case sensitive routing')
  app.enable('strict routing')
  return app
}
