import { ConfigError, readConfig } from '@porthole/shared/config/read';
import type { Config } from '@porthole/shared/config/schema';
import { findOverlaps } from '../access/overlaps.ts';
import { readAccessDocument } from '../access/rules.ts';
import { checkBrokerConfig } from '../config/check-config.ts';
import { parseUsersFile, UsersFileError } from '../sign-in/local/users-file.ts';
import type { Command } from './command.ts';
import { usersInFile } from './look-up.ts';

const usage = `
Checks the configuration (PORTHOLE_CONFIG and PORTHOLE_* variables), the users file and the rules file, without any network
access. Warns about access rules that can give a machine to two users. The exit code is 2 if something is invalid.
`;

export const configCheck: Command = {
  summary: 'check the configuration, the users file and the rules file',
  usage,
  async run(_args, { env, cwd, stdout }) {
    const config = readConfig(env, cwd);
    const errors = configErrors(config);
    if (errors.length > 0) throw new ConfigError(errors);
    const document = readAccessDocument(config) ?? {};
    const { access = [], classes = [] } = document;
    stdout.write(
      `${count(access.length, 'access rule', 'access rules')}, ${count(classes.length, 'class', 'classes')}.\n`,
    );
    for (const overlap of findOverlaps(document, usersInFile(config))) stdout.write(`Warning: ${overlap}\n`);
    stdout.write('The configuration is valid.\n');
  },
};

/** Finds what is invalid in a configuration that matches the schema, in its users file and in its rules file. */
export function configErrors(config: Config): readonly string[] {
  const errors: string[] = [];
  const collect = (check: () => unknown) => {
    try {
      check();
    } catch (error) {
      if (error instanceof ConfigError) errors.push(...error.issues);
      else if (error instanceof UsersFileError) errors.push(`signIn.local.usersFile: ${error.message}`);
      else throw error;
    }
  };
  collect(() => checkBrokerConfig(config));
  collect(() => config.signIn.local && parseUsersFile(config.signIn.local.usersFile()));
  collect(() => readAccessDocument(config));
  return errors;
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}
