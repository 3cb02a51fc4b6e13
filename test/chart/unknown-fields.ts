import * as client from '@kubernetes/client-node';
import type { Manifest } from './render.ts';

interface Model {
  getAttributeTypeMap(): readonly { baseName: string; type: string }[];
}
const models = client as unknown as Readonly<Record<string, Model | undefined>>;
const builtIn = /^(v1|(apps|batch|policy|autoscaling)\/v\d|(networking|rbac\.authorization)\.k8s\.io\/v1)$/;

/**
 * Finds fields that the Kubernetes API doesn't define and scalars of the wrong type. Returns undefined for custom
 * resources.
 */
export function unknownFields(manifest: Manifest): readonly string[] | undefined {
  if (!builtIn.test(manifest.apiVersion)) return undefined;
  const version = manifest.apiVersion === 'autoscaling/v2' ? 'V2' : 'V1';
  return [...walk(`${version}${manifest.kind}`, manifest, manifest.kind)];
}

function* walk(type: string, value: unknown, path: string): Generator<string> {
  if (value === null || value === undefined) return;
  const list = /^Array<(.*)>$/.exec(type)?.[1];
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type)?.[1];
  if (list !== undefined) {
    if (!Array.isArray(value)) return yield `${path}: not a list`;
    for (const [index, item] of value.entries()) yield* walk(list, item, `${path}[${index}]`);
  } else if (map !== undefined) {
    for (const [key, item] of Object.entries(value)) yield* walk(map, item, `${path}.${key}`);
  } else if (['string', 'number', 'boolean'].includes(type)) {
    if (typeof value !== type) yield `${path}: not a ${type}`;
  } else if (!['any', 'object', 'Date', 'IntOrString'].includes(type)) {
    const model = models[type];
    if (!model?.getAttributeTypeMap) return yield `${path}: no model for ${type}`;
    const types = new Map(model.getAttributeTypeMap().map((one) => [one.baseName, one.type]));
    for (const [key, item] of Object.entries(value)) {
      const known = types.get(key);
      if (known === undefined) yield `${path}.${key}: unknown field`;
      else yield* walk(known, item, `${path}.${key}`);
    }
  }
}
