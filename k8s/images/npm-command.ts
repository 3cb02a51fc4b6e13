/** The command that starts npm: the npm that started this process, or the one in the PATH. */
export function npmCommand(): [command: string, ...args: string[]] {
  const script = process.env['npm_execpath'];
  return script?.endsWith('.js') ? [process.execPath, script] : ['npm'];
}
