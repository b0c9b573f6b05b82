/* Opened as files, pages may start no worker, and the search needs one. Here a hidden frame does what a worker would. */
if (location.protocol === "file:")
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      const base = new URL(url, location)
      const frame = document.createElement("iframe")
      frame.hidden = true
      document.body.append(frame)
      this.inside = frame.contentWindow
      this.ready = new Promise(resolve => {
        const load = source =>
          new Promise((done, failed) => {
            const script = frame.contentDocument.createElement("script")
            Object.assign(script, { src: new URL(source, base), async: false, onload: done, onerror: failed })
            frame.contentDocument.body.append(script)
          })
        this.inside.importScripts = (...sources) => Promise.all(sources.map(load))
        this.inside.postMessage = data => {
          const event = new MessageEvent("message", { data })
          this.dispatchEvent(event)
          if (this.onmessage) this.onmessage(event)
        }
        load(base).then(resolve)
      })
    }
    postMessage(data) {
      this.ready.then(() => this.inside.dispatchEvent(new MessageEvent("message", { data })))
    }
    terminate() {
      this.inside.frameElement.remove()
    }
  }
