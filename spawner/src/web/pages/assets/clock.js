// @ts-check
// A worker that ticks every second. Browsers slow down the timers of a page that nobody looks at, but not those of its
// workers; and a person who waits in the queue in another tab has to be counted as present.
setInterval(() => postMessage(undefined), 1_000)
