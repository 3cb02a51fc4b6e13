import { ConfigError } from '@porthole/shared/config/read';
import { accessExplain } from './access-explain.ts';
import { doctor } from './doctor.ts';
import { grant } from './grant.ts';
import { sessionsEnd } from './sessions-end.ts';
import { sessionsList } from './sessions-list.ts';
import { UsageError, type Command, type CommandIo } from './command.ts';
import { configCheck } from './config-check.ts';
import { userAdd } from './user-add.ts';

/** Every command, by its one or two words. */
const commands: Readonly<Record<string, Command>> = {
  'user add': userAdd,
  'access explain': accessExplain,
  'config check': configCheck,
  doctor,
  'sessions list': sessionsList,
  'sessions end': sessionsEnd,
  grant,
};

/** Runs the command that the arguments name. Answers the exit code: 0 done, 1 it could not be, 2 wrong words or configuration. */
export async function porthole(args: readonly string[], io: CommandIo): Promise<number> {
  const [noun = ''] = args;
  const words = Object.hasOwn(commands, noun) ? 1 : 2;
  const name = args.slice(0, words).join(' ');
  const rest = args.slice(words);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) {
    const asked = noun === '' || args.some(isHelp);
    (asked ? io.stdout : io.stderr).write(overview());
    return asked ? 0 : 2;
  }
  if (rest.some(isHelp)) {
    io.stdout.write(usageOf(name, command));
    return 0;
  }
  try {
    await command.run(rest, io);
    return 0;
  } catch (error) {
    const meant = error instanceof UsageError || isArgumentFault(error);
    // A stack would tell whoever mistyped something nothing.
    const text = error instanceof Error ? error.message : String(error);
    if (text !== '') io.stderr.write(`${text}\n`);
    if (meant) io.stderr.write(usageOf(name, command));
    return meant || error instanceof ConfigError ? 2 : 1;
  }
}

const isHelp = (word: string) => word === '--help' || word === '-h' || word === 'help';

/** What node:util says of an option that there is not. */
function isArgumentFault(error: unknown): boolean {
  return String((error as { code?: unknown } | undefined)?.code).startsWith('ERR_PARSE_ARGS');
}

function overview(): string {
  const lines = Object.entries(commands).map(
    ([name, { summary: about }]) => `  porthole ${name.padEnd(16)} ${about}`,
  );
  return `Usage: porthole COMMAND ...\n\n${lines.join('\n')}\n\nporthole COMMAND --help says more.\n`;
}

function usageOf(name: string, { usage }: Command): string {
  return `Usage: porthole ${name} ${usage}`;
}
