import { spawnSync } from 'node:child_process';

export interface Run {
  readonly status: number | null;
  readonly output: string;
}

/** Runs helm or kubectl with the KUBECONFIG of the tests. */
export function run(program: 'helm' | 'kubectl', args: readonly string[], input = ''): Run {
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    input,
    maxBuffer: 64 << 20,
  });
  return { status, output: stdout + stderr };
}

/** Like `run`, but throws an error with the output if the program fails. */
export function must(program: 'helm' | 'kubectl', args: readonly string[], input = ''): string {
  const { status, output } = run(program, args, input);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}:\n${output}`);
  return output;
}

/** A namespace of a cluster. */
export interface Namespace {
  /** Runs kubectl in the namespace. */
  kubectl(...args: readonly string[]): string;
  /** Fields of an object, by a JSONPath such as `.spec.replicas`. */
  read(kindAndName: string, path: string): string;
  /** Names of pods and their UIDs, for a component of Porthole. */
  pods(component: string): ReadonlyMap<string, string>;
}

export function inNamespace(name: string): Namespace {
  const kubectl = (...args: readonly string[]) => must('kubectl', ['-n', name, ...args]).trim();
  return {
    kubectl,
    read: (kindAndName, path) => kubectl('get', kindAndName, '-o', `jsonpath={${path}}`),
    pods(component) {
      const template = '{range .items[*]}{.metadata.name}={.metadata.uid}{"\\n"}{end}';
      const label = `app.kubernetes.io/component=${component}`;
      const lines = kubectl('get', 'pods', '-l', label, '-o', `jsonpath=${template}`).split('\n');
      return new Map(lines.filter((line) => line !== '').map((line) => line.split('=') as [string, string]));
    },
  };
}
