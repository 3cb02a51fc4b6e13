/** A PromQL query. The legend is a Grafana template, such as `{{pod}}`, and defaults to the panel title. */
export interface Query {
  readonly expr: string;
  readonly legend?: string;
}

type Unit = 'short' | 's' | 'Bps' | 'bytes' | 'percentunit' | 'ops' | 'none';

interface Panel {
  readonly type: 'stat' | 'timeseries';
  readonly title: string;
  readonly description: string;
  readonly unit: Unit;
  readonly queries: readonly Query[];
  readonly stacked: boolean;
  readonly warningThreshold?: number;
}

/** A panel with the current value. From the warning threshold up, the value is orange. */
export function stat(
  title: string,
  description: string,
  unit: Unit,
  expr: string,
  warningThreshold?: number,
): Panel {
  return {
    type: 'stat',
    title,
    description,
    unit,
    queries: [{ expr }],
    stacked: false,
    ...(warningThreshold === undefined ? {} : { warningThreshold }),
  };
}

export function timeSeries(title: string, description: string, unit: Unit, ...queries: Query[]): Panel {
  return { type: 'timeseries', title, description, unit, queries, stacked: false };
}

/** A time series panel whose areas add up to a total. */
export function stackedTimeSeries(
  title: string,
  description: string,
  unit: Unit,
  ...queries: Query[]
): Panel {
  return { ...timeSeries(title, description, unit, ...queries), stacked: true };
}

const datasource = { type: 'prometheus', uid: '${datasource}' };
const gridColumns = 24;

/** A row heading at `y` and its panels below, as Grafana JSON. The heading gets `firstId`, the panels the following ids. */
export function row(title: string, y: number, firstId: number, panels: readonly Panel[]): object[] {
  const heading = {
    id: firstId,
    type: 'row',
    title,
    collapsed: false,
    panels: [],
    gridPos: { x: 0, y, w: gridColumns, h: 1 },
  };
  const [w, h] = panels[0]?.type === 'stat' ? [4, 4] : [8, 8];
  const panelsPerLine = gridColumns / w;
  return [
    heading,
    ...panels.map((panel, index) => ({
      id: firstId + index + 1,
      gridPos: { x: (index % panelsPerLine) * w, y: y + 1 + Math.floor(index / panelsPerLine) * h, w, h },
      ...toGrafanaPanel(panel),
    })),
  ];
}

function toGrafanaPanel(panel: Panel): object {
  const { type, title, description, unit, queries, stacked, warningThreshold } = panel;
  const steps = [
    { color: 'green', value: null },
    ...(warningThreshold === undefined ? [] : [{ color: 'orange', value: warningThreshold }]),
  ];
  return {
    type,
    title,
    description,
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
