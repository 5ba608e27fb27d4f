/**
 * Lets tests import the page's modules, which name the SDK by the path that the server serves it
 * at, beside them: `./client/...` is `src/...`. Import this before importing them dynamically.
 */

import { register } from 'node:module';

const src = new URL('../../src/', import.meta.url).href;

const hooks = `
  export async function resolve(specifier, context, next) {
    const path = './client/';
    return specifier.startsWith(path) ? next(${JSON.stringify(src)} + specifier.slice(path.length), context) : next(specifier, context);
  }
`;

register(`data:text/javascript,${encodeURIComponent(hooks)}`);
