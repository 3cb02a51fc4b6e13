/** npm as a command: the one that runs us, or the one that is found. */
export function npm(): [string, ...string[]] {
  const cli = process.env['npm_execpath'];
  return cli?.endsWith('.js') ? [process.execPath, cli] : ['npm'];
}
