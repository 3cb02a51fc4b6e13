import { find, type Manifest } from './render.ts';

type Labels = Readonly<Record<string, string>>;

const matches = (labels: Labels, selector: Labels) =>
  Object.entries(selector).every(([name, value]) => labels[name] === value);

/** What objects name that is not among them: Services, accounts, roles, settings, ports, pods by their labels. */
export function danglingReferences(objects: readonly Manifest[]): readonly string[] {
  const lost: string[] = [];
  const need = (from: Manifest, kind: string, name: string) => {
    try {
      find(objects, kind, name);
    } catch {
      lost.push(`${from.kind} ${from.metadata.name} names a ${kind} ${name}`);
    }
  };
  const pods = objects.flatMap(({ kind, spec, metadata }) =>
    kind === 'Deployment'
      ? [{ labels: spec.template.metadata.labels as Labels, spec: spec.template.spec }]
      : kind === 'Pod'
        ? [{ labels: metadata.labels ?? {}, spec }]
        : [],
  );
  const selects = (from: Manifest, selector: Labels) => {
    const selected = pods.filter(({ labels }) => matches(labels, selector));
    if (selected.length !== 1)
      lost.push(`${from.kind} ${from.metadata.name} selects ${selected.length} kinds of pods, not one`);
    return selected;
  };
  const portsOf = (selected: typeof pods) =>
    selected.flatMap(({ spec }) =>
      spec.containers.flatMap(({ ports = [] }: { ports?: { name: string }[] }) =>
        ports.map(({ name }) => name),
      ),
    );

  for (const object of objects) {
    const { kind, spec } = object;
    if (kind === 'Deployment' || kind === 'Pod') {
      const pod = kind === 'Pod' ? spec : spec.template.spec;
      if (pod.serviceAccountName) need(object, 'ServiceAccount', pod.serviceAccountName);
      for (const { configMap } of pod.volumes ?? []) if (configMap) need(object, 'ConfigMap', configMap.name);
      if (kind === 'Deployment') selects(object, spec.selector.matchLabels);
    }
    if (kind === 'Service') {
      const names = portsOf(selects(object, spec.selector));
      for (const { targetPort } of spec.ports)
        if (!names.includes(targetPort)) lost.push(`Service ${object.metadata.name}: no port ${targetPort}`);
    }
    if (['PodDisruptionBudget', 'PodMonitor'].includes(kind)) selects(object, spec.selector.matchLabels);
    if (kind === 'NetworkPolicy') selects(object, spec.podSelector.matchLabels);
    if (kind === 'HorizontalPodAutoscaler' || kind === 'ScaledObject')
      need(object, 'Deployment', spec.scaleTargetRef.name);
    if (kind === 'Ingress')
      for (const { http } of spec.rules)
        for (const { backend } of http.paths) need(object, 'Service', backend.service.name);
    if (kind === 'HTTPRoute')
      for (const { backendRefs } of spec.rules)
        for (const { name } of backendRefs) need(object, 'Service', name);
    if (kind.endsWith('RoleBinding')) {
      need(object, object['roleRef'].kind, object['roleRef'].name);
      for (const { name } of object['subjects']) need(object, 'ServiceAccount', name);
    }
  }
  return lost;
}
