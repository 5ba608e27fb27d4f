/** What a page must show as the text that it is: each would set `window.hacked` where it is taken for more. */
export const EVIL = [
  '<img src=x onerror="window.hacked=1">',
  '<script>window.hacked=1</script>',
  '<svg onload=window.hacked=1>',
  '<svg><animate onbegin=window.hacked=1 attributeName=x dur=1s>',
  '<body onload=window.hacked=1>',
  '<iframe srcdoc="<script>parent.hacked=1</script>"></iframe>',
  '<a href="javascript:window.hacked=1" autofocus onfocus=window.hacked=1>x</a>',
  '<details open ontoggle=window.hacked=1>',
  '"><img src=x onerror=window.hacked=1>',
  "';window.hacked=1;//",
  '${window.hacked=1}',
  '{{constructor.constructor("window.hacked=1")()}}',
  '<math><mtext><table><mglyph><style><img src=x onerror=window.hacked=1>',
  '<input autofocus onfocus=window.hacked=1>',
  '<video><source onerror=window.hacked=1></video>',
];
