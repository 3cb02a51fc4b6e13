import { describeWith } from '../needs.ts';
import { readExample } from './installations.ts';
import { readValues } from './render.ts';
import { renderNotes } from './render-notes.ts';

const notesWith = (values: object) => renderNotes('porthole', { ...readValues('production'), ...values });

describeWith('helm')('the notes about recordings', () => {
  test('name the Secret to back up, and the claim that remains', () => {
    const example = readExample('recordings-volume') as { config: object };
    const { config } = readValues('production') as { config: object };
    const notes = notesWith({ ...example, config: { ...config, ...example.config } });
    expect(notes).toContain('keys in the Secret porthole-recordings. Back it up');
    expect(notes).toContain("PersistentVolumeClaim porthole-recordings. `helm uninstall` doesn't delete it.");
    expect(notes).not.toMatch(/WARNING: .*record/);
  });

  test('warn if no rule records, and if a rule tries to record without a storage', () => {
    const { recordings } = readExample('recordings-s3') as { recordings: object };
    const notes = notesWith({ recordings });
    expect(notes).toContain('WARNING: No console is recorded');
    expect(notes).not.toContain('PersistentVolumeClaim');
    const { config } = readValues('production') as { config: object };
    const rule = { who: { everyone: true }, which: { all: true }, allow: ['control'], record: 'try' };
    expect(notesWith({ config: { ...config, access: [rule] } })).toContain(
      'WARNING: recordings.enabled is false.',
    );
    expect(notesWith({})).not.toMatch(/record/i);
  });
});
