import { findManifest, type Manifest } from './render.ts';

type Labels = Readonly<Record<string, string>>;

/** Kinds with a pod template and a selector for it. */
const workloadKinds: readonly string[] = ['Deployment', 'StatefulSet'];

const matches = (labels: Labels, selector: Labels) =>
  Object.entries(selector).every(([name, value]) => labels[name] === value);

/** Finds references to manifests, ports and pods that don't exist. */
export function danglingReferences(manifests: readonly Manifest[]): readonly string[] {
  const errors: string[] = [];
  const requireManifest = (from: Manifest, kind: string, name: string) => {
    try {
      findManifest(manifests, kind, name);
    } catch {
      errors.push(`${from.kind} ${from.metadata.name} refers to a missing ${kind} ${name}`);
    }
  };
  const pods = manifests.flatMap(({ kind, spec, metadata }) =>
    workloadKinds.includes(kind)
      ? [{ labels: spec.template.metadata.labels as Labels, spec: spec.template.spec }]
      : kind === 'Pod'
        ? [{ labels: metadata.labels ?? {}, spec }]
        : [],
  );
  const selectPods = (from: Manifest, selector: Labels) => {
    const selected = pods.filter(({ labels }) => matches(labels, selector));
    if (selected.length !== 1)
      errors.push(`${from.kind} ${from.metadata.name} selects ${selected.length} pod templates instead of 1`);
    return selected;
  };
  const portsOf = (selected: typeof pods) =>
    selected.flatMap(({ spec }) =>
      spec.containers.flatMap(({ ports = [] }: { ports?: { name: string }[] }) =>
        ports.map(({ name }) => name),
      ),
    );

  for (const manifest of manifests) {
    const { kind, spec } = manifest;
    if (workloadKinds.includes(kind) || kind === 'Pod') {
      const pod = kind === 'Pod' ? spec : spec.template.spec;
      if (pod.serviceAccountName) requireManifest(manifest, 'ServiceAccount', pod.serviceAccountName);
      for (const { configMap, persistentVolumeClaim } of pod.volumes ?? []) {
        if (configMap) requireManifest(manifest, 'ConfigMap', configMap.name);
        if (persistentVolumeClaim)
          requireManifest(manifest, 'PersistentVolumeClaim', persistentVolumeClaim.claimName);
      }
      if (workloadKinds.includes(kind)) selectPods(manifest, spec.selector.matchLabels);
      if (kind === 'StatefulSet') requireManifest(manifest, 'Service', spec.serviceName);
    }
    if (kind === 'Service') {
      const names = portsOf(selectPods(manifest, spec.selector));
      for (const { targetPort } of spec.ports)
        if (!names.includes(targetPort))
          errors.push(`Service ${manifest.metadata.name} refers to a missing port ${targetPort}`);
    }
    if (['PodDisruptionBudget', 'PodMonitor'].includes(kind)) selectPods(manifest, spec.selector.matchLabels);
    if (kind === 'NetworkPolicy') selectPods(manifest, spec.podSelector.matchLabels);
    if (kind === 'HorizontalPodAutoscaler' || kind === 'ScaledObject')
      requireManifest(manifest, 'Deployment', spec.scaleTargetRef.name);
    if (kind === 'Ingress')
      for (const { http } of spec.rules)
        for (const { backend } of http.paths) requireManifest(manifest, 'Service', backend.service.name);
    if (kind === 'HTTPRoute')
      for (const { backendRefs } of spec.rules)
        for (const { name } of backendRefs) requireManifest(manifest, 'Service', name);
    if (kind.endsWith('RoleBinding')) {
      requireManifest(manifest, manifest['roleRef'].kind, manifest['roleRef'].name);
      for (const { name } of manifest['subjects']) requireManifest(manifest, 'ServiceAccount', name);
    }
  }
  return errors;
}
