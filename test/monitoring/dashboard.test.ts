import { dashboard } from '../../k8s/monitoring/dashboard.ts';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[];
}
const { panels, templating } = dashboard() as {
  panels: readonly Panel[];
  templating: { list: readonly { name: string }[] };
};
const dataPanels = panels.filter(({ type }) => type !== 'row');

test('every panel has a unique id, a title and a description', () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  for (const { title, description } of dataPanels) {
    expect(title).not.toBe('');
    expect(description).toMatch(/\.$/);
  }
});

test('panels do not overlap and fit into the grid', () => {
  for (const [index, { gridPos: a }] of panels.entries()) {
    expect(a.x + a.w).toBeLessThanOrEqual(24);
    for (const { gridPos: b } of panels.slice(index + 1))
      expect(a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h).toBe(false);
  }
});

test('every query filters by the selected namespaces', () => {
  expect(templating.list.map(({ name }) => name)).toEqual(['datasource', 'namespace']);
  for (const { targets = [] } of dataPanels) {
    expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
    for (const { expr } of targets) expect(expr).toContain('namespace=~"$namespace"');
  }
});
