/**
 * How the dev panel looks: its colours, which the charts use too, and its style sheet, which stays
 * within its shadow. A page moves the panel by styling the element; what is inside is not for the
 * page.
 */

/** Six-digit colours, so that a chart may add an alpha. */
export const INK = {
  text: '#e8edf6',
  muted: '#93a0b8',
  line: '#2a3448',
  grid: '#1d2534',
  ground: '#10151f',
  rtt: '#c8f751',
  delay: '#62b5ff',
  jitter: '#b794ff',
  bytes: '#7f93b8',
  slack: '#4fd8c4',
  error: '#ff9d5c',
  bad: '#ff5c5c',
};

/** The style sheet. */
export const STYLE = `
:host {
  position: fixed; right: 14px; bottom: 14px; z-index: 1000; width: 300px; max-height: calc(100vh - 28px);
  display: flex; flex-direction: column; overflow: hidden auto; overscroll-behavior: contain; scrollbar-width: thin;
  scrollbar-color: ${INK.line} transparent; border: 1px solid ${INK.line}; border-radius: 12px; background: #0b0f17f7;
  color: ${INK.text}; font: 12px/1.35 ui-sans-serif, system-ui, "Segoe UI", Roboto, "DejaVu Sans Condensed", sans-serif;
  font-variant-numeric: tabular-nums; pointer-events: auto; user-select: none; -webkit-user-select: none; color-scheme: dark;
}
:host([hidden]) { display: none; }
* { box-sizing: border-box; margin: 0; }
header { display: flex; align-items: center; gap: 8px; padding: 8px 6px 6px 12px; }
h2 { font-size: 13px; font-weight: 650; }
.verdict { margin-left: auto; display: flex; align-items: center; gap: 6px; color: ${INK.muted}; }
.verdict::before { content: ""; width: 8px; height: 8px; border-radius: 50%; background: currentColor; }
.verdict.good { color: ${INK.rtt}; }
.verdict.fair { color: ${INK.error}; }
.verdict.bad { color: ${INK.bad}; }
.close { width: 28px; height: 28px; display: grid; place-items: center; border: 0; border-radius: 7px; padding: 0; background: none; color: ${INK.muted}; cursor: pointer; }
.close:hover { color: ${INK.text}; background: #1a2130; }
.close::before, .close::after { content: ""; grid-area: 1 / 1; width: 12px; height: 1.5px; border-radius: 1px; background: currentColor; transform: rotate(45deg); }
.close::after { transform: rotate(-45deg); }
.strip { padding: 0 12px 7px; }
.strip p { display: flex; align-items: baseline; gap: 10px; color: ${INK.muted}; padding-bottom: 2px; white-space: nowrap; }
.strip p span:first-child { margin-right: auto; }
.strip b { font-weight: 600; }
canvas { display: block; width: 100%; height: 30px; border-radius: 4px; background: ${INK.ground}; }
canvas.tall { height: 58px; }
canvas.middle { height: 42px; }
dl { display: grid; grid-template-columns: 1fr auto 1fr auto; gap: 1px 8px; padding: 1px 12px 9px; }
dt { color: ${INK.muted}; }
dd { text-align: right; font-weight: 600; }
dt:nth-of-type(even) { padding-left: 10px; border-left: 1px solid ${INK.line}; }
.warn { color: ${INK.bad}; }
form { border-top: 1px solid ${INK.line}; padding: 8px 12px 10px; display: grid; gap: 6px; }
form > p { color: ${INK.muted}; display: flex; justify-content: space-between; }
.presets { display: grid; grid-template-columns: repeat(4, 1fr); gap: 4px; }
.presets button {
  min-height: 30px; border: 1px solid ${INK.line}; border-radius: 7px; background: #141a26; color: ${INK.text};
  font: inherit; font-weight: 600; padding: 0; cursor: pointer;
}
.presets button:hover { border-color: #475673; }
.presets button[aria-pressed="true"] { background: ${INK.rtt}; border-color: ${INK.rtt}; color: #11180a; }
label { display: grid; grid-template-columns: 70px 1fr 58px; align-items: center; gap: 8px; color: ${INK.muted}; }
output { text-align: right; color: ${INK.text}; font-weight: 600; }
input[type="range"] { width: 100%; height: 20px; margin: 0; accent-color: ${INK.rtt}; cursor: pointer; }
:focus-visible { outline: 2px solid ${INK.rtt}; outline-offset: 1px; }
`;
