module.exports = {
  // The default contains the host name of the container, so another workspace would not find the flows.
  flowFile: 'flows.json',
  // The editor would ask each person before they can work.
  telemetry: { enabled: false, updateNotification: false },
  editorTheme: { tours: false },
}
