/** To the compiler: `./client/…` beside a page is `src/…`, where the server serves it. The running tests have `served_paths.js` for that. */

declare module '*/client/tickwire.js' {
  export * from 'tickwire-sources/tickwire.js';
}
declare module '*/client/dev_panel.js' {
  export * from 'tickwire-sources/dev_panel.js';
}
declare module '*/client/exact.js' {
  export * from 'tickwire-sources/exact.js';
}
