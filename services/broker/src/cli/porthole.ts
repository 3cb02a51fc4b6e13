import { ConfigError } from '@porthole/shared/config/read';
import { escapeControls } from '@porthole/shared/telemetry/escape-controls';
import { accessExplain } from './access-explain.ts';
import { UsageError, type Command, type CommandIo } from './command.ts';
import { configCheck } from './config-check.ts';
import { doctor } from './doctor.ts';
import { grant } from './grant.ts';
import { recordingsDelete } from './recordings/delete.ts';
import { recordingsExport } from './recordings/export.ts';
import { recordingsList } from './recordings/list.ts';
import { recordingsShow } from './recordings/show.ts';
import { recordingsVerify } from './recordings/verify.ts';
import { sessionsEnd } from './sessions-end.ts';
import { sessionsList } from './sessions-list.ts';
import { userAdd } from './user-add.ts';

/** The commands, by name. A name has one or two words. */
const commands: Readonly<Record<string, Command>> = {
  'user add': userAdd,
  'access explain': accessExplain,
  'config check': configCheck,
  doctor,
  'sessions list': sessionsList,
  'sessions end': sessionsEnd,
  grant,
  'recordings list': recordingsList,
  'recordings show': recordingsShow,
  'recordings verify': recordingsVerify,
  'recordings export': recordingsExport,
  'recordings delete': recordingsDelete,
};

/** Runs a command. Returns the exit code: 0 success, 1 failure, 2 invalid arguments or configuration. */
export async function porthole(args: readonly string[], given: CommandIo): Promise<number> {
  const io = { ...given, stdout: withoutControls(given.stdout), stderr: withoutControls(given.stderr) };
  const [firstWord = ''] = args;
  const wordCount = Object.hasOwn(commands, firstWord) ? 1 : 2;
  const name = args.slice(0, wordCount).join(' ');
  const rest = args.slice(wordCount);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) {
    const needsHelp = firstWord === '' || args.some(isHelp);
    (needsHelp ? io.stdout : io.stderr).write(listCommands());
    return needsHelp ? 0 : 2;
  }
  if (rest.some(isHelp)) {
    io.stdout.write(usageOf(name, command));
    return 0;
  }
  try {
    await command.run(rest, io);
    return 0;
  } catch (error) {
    const isUsageError = error instanceof UsageError || isParseArgsError(error);
    // The message only: a stack does not help the operator.
    const text = error instanceof Error ? error.message : String(error);
    if (text !== '') io.stderr.write(`${text}\n`);
    if (isUsageError) io.stderr.write(usageOf(name, command));
    return isUsageError || error instanceof ConfigError ? 2 : 1;
  }
}

/** Text quotes names and errors of others, which must not act on the operator's terminal. Bytes are for a file or a pipe. */
function withoutControls(output: CommandIo['stdout']): CommandIo['stdout'] {
  return {
    write: (data, written) => output.write(typeof data === 'string' ? escapeControls(data) : data, written),
    isTTY: output.isTTY === true,
  };
}

const isHelp = (word: string) => word === '--help' || word === '-h' || word === 'help';

/** node:util reports unknown options and missing values with these codes. */
function isParseArgsError(error: unknown): boolean {
  return String((error as { code?: unknown } | undefined)?.code).startsWith('ERR_PARSE_ARGS');
}

function listCommands(): string {
  const lines = Object.entries(commands).map(
    ([name, { summary }]) => `  porthole ${name.padEnd(17)} ${summary}`,
  );
  return `Usage: porthole COMMAND ...\n\n${lines.join('\n')}\n\nFor all options: porthole COMMAND --help\n`;
}

function usageOf(name: string, { usage }: Command): string {
  return `Usage: porthole ${name} ${usage}`;
}
