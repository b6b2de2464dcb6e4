// An Express application that says nothing of itself and takes paths and queries as they are.
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
