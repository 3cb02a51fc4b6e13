import { ConfigError, readConfig } from '@porthole/shared/config/read';
import type { Config } from '@porthole/shared/config/schema';
import { systemClock } from '@porthole/shared/time/clock';
import { noAudit } from '@porthole/shared/audit/audit';
import { createRules } from '../access/rules.ts';
import { checkBrokerConfig } from '../check-config.ts';
import { parseUsersFile, UsersFileError } from '../sign-in/local/users-file.ts';
import type { Command } from './command.ts';

const usage = `
Reads the configuration as the services do (PORTHOLE_CONFIG and PORTHOLE_* variables), with the users file and the
rules file, and says what is wrong. Asks neither Proxmox nor the store. Exit code 2 when there is a fault.
`;

export const configCheck: Command = {
  about: 'say what is wrong with the configuration, the users file and the rules file',
  usage,
  async run(_args, { env, cwd, stdout }) {
    const config = readConfig(env, cwd);
    const faults = faultsIn(config, ({ rules, classes }) =>
      stdout.write(`${counted(rules, 'access rule')}, ${counted(classes, 'class', 'classes')}.\n`),
    );
    if (faults.length > 0) throw new ConfigError(faults);
    stdout.write('The configuration is good.\n');
  },
};

/** What is wrong with a configuration that can be read, with its users file and its rules file. */
export function faultsIn(
  config: Config,
  counted: (size: { readonly rules: number; readonly classes: number }) => void = () => {},
): readonly string[] {
  const faults: string[] = [];
  const collect = (check: () => unknown) => {
    try {
      check();
    } catch (error) {
      if (error instanceof ConfigError) faults.push(...error.issues);
      else if (error instanceof UsersFileError) faults.push(`signIn.local.usersFile: ${error.message}`);
      else throw error;
    }
  };
  const log = { info: () => {}, error: () => {} };
  collect(() => checkBrokerConfig(config));
  collect(() => config.signIn.local && parseUsersFile(config.signIn.local.usersFile()));
  collect(() => counted(createRules({ config, clock: systemClock, log, audit: noAudit }).current().size));
  return faults;
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
