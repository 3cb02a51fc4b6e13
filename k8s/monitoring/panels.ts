/** One query of a panel; `legend` as in Grafana, with {{label}}. */
export interface Query {
  readonly expr: string;
  readonly legend?: string;
}

type Unit = 'short' | 's' | 'Bps' | 'bytes' | 'percentunit' | 'ops' | 'none';

interface Panel {
  readonly type: 'stat' | 'timeseries';
  readonly title: string;
  readonly about: string;
  readonly unit: Unit;
  readonly queries: readonly Query[];
  readonly stacked: boolean;
  /** From where on the figure is shown as a warning. */
  readonly warnFrom?: number;
}

/** A figure of this moment. */
export function stat(title: string, about: string, unit: Unit, expr: string, warnFrom?: number): Panel {
  return {
    type: 'stat',
    title,
    about,
    unit,
    queries: [{ expr }],
    stacked: false,
    ...(warnFrom === undefined ? {} : { warnFrom }),
  };
}

/** Lines over time. */
export function lines(title: string, about: string, unit: Unit, ...queries: Query[]): Panel {
  return { type: 'timeseries', title, about, unit, queries, stacked: false };
}

/** Areas that add up. */
export function areas(title: string, about: string, unit: Unit, ...queries: Query[]): Panel {
  return { ...lines(title, about, unit, ...queries), stacked: true };
}

const datasource = { type: 'prometheus', uid: '${datasource}' };

/** Panels under a heading, in rows that fill Grafana's 24 columns; `y` is where the heading stands. */
export function row(title: string, y: number, firstId: number, panels: readonly Panel[]): object[] {
  const heading = { id: firstId, type: 'row', title, collapsed: false, panels: [], gridPos: at(0, y, 24, 1) };
  const [width, height] = panels[0]?.type === 'stat' ? [4, 4] : [8, 8];
  const perLine = 24 / width;
  return [
    heading,
    ...panels.map((panel, index) => ({
      id: firstId + index + 1,
      gridPos: at((index % perLine) * width, y + 1 + Math.floor(index / perLine) * height, width, height),
      ...drawn(panel),
    })),
  ];
}

function at(x: number, y: number, w: number, h: number): object {
  return { x, y, w, h };
}

function drawn({ type, title, about, unit, queries, stacked, warnFrom }: Panel): object {
  const steps = [
    { color: 'green', value: null },
    ...(warnFrom === undefined ? [] : [{ color: 'orange', value: warnFrom }]),
  ];
  return {
    type,
    title,
    description: about,
    datasource,
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource,
      expr,
      legendFormat: legend ?? title,
    })),
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        thresholds: { mode: 'absolute', steps },
        ...(type === 'timeseries'
          ? {
              custom: {
                drawStyle: 'line',
                fillOpacity: stacked ? 40 : 0,
                stacking: { mode: stacked ? 'normal' : 'none' },
              },
            }
          : {}),
      },
      overrides: [],
    },
    options:
      type === 'stat'
        ? { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: 'value' }
        : {
            legend: { displayMode: 'list', placement: 'bottom' },
            tooltip: { mode: 'multi', sort: 'desc' },
          },
  };
}
