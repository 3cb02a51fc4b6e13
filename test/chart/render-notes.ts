import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { toYaml } from '../to-yaml.ts';
import { chartFolder } from './chart-folder.ts';

/** Renders NOTES.txt. Helm shows it only after an installation, so a copy of the chart renders it as a manifest. */
export function renderNotes(release: string, values: object): string {
  const folder = mkdtempSync(join(tmpdir(), 'porthole-notes-'));
  try {
    cpSync(chartFolder, folder, { recursive: true });
    const templates = join(folder, 'templates');
    const notes = readFileSync(join(templates, 'NOTES.txt'), 'utf8');
    writeFileSync(join(templates, '_notes.tpl'), `{{- define "notes" }}${notes}{{ end }}`);
    writeFileSync(join(templates, 'notes.yaml'), 'notes: {{ include "notes" . | quote }}');
    const options = ['-n', 'lab', '-f', '-', '-s', 'templates/notes.yaml', '--kube-version', '1.34.0'];
    const run = spawnSync('helm', ['template', release, folder, ...options], {
      input: toYaml(values),
      encoding: 'utf8',
    });
    if (run.status !== 0) throw new Error(run.stderr);
    return (parse(run.stdout) as { notes: string }).notes;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
