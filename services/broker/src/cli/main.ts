#!/usr/bin/env node
import { porthole } from './porthole.ts';

process.exitCode = await porthole(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  exit: (code) => process.exit(code),
});
