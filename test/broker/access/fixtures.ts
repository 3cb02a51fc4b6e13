import { createAccess, type Access } from '@porthole/broker/access/decide';
import type { Subject, Target } from '@porthole/broker/access/subject';
import { accessDocument, accessRule } from '@porthole/shared/config/access-schema';
import { z } from 'zod';

export type GivenRule = z.input<typeof accessRule>;
export type GivenDocument = z.input<typeof accessDocument>;

export const anna: Subject = { name: 'anna', groups: ['class-a'] };
export const lab: Target = {
  cluster: 'school',
  node: 'pve1',
  type: 'qemu',
  vmid: 101,
  name: 'lab-anna',
  pool: 'rooms',
  tags: ['lab', 'linux'],
};

export const limits = {
  sessionSeconds: 1000,
  maxSessionSeconds: undefined,
  idleSeconds: 500,
  parkViewSeconds: 300,
  parkControlSeconds: 900,
  consolesPerUser: 20,
  consolesPerMachine: 10,
};

/** A Monday, nine in the morning in Berlin. */
export const monday = Date.UTC(2026, 5, 1, 7);

/** The rules of a document, as the schema parses it. */
export function accessOf(document: GivenDocument, now = monday): Access {
  return createAccess(accessDocument.parse(document), { limits, now: () => now });
}

/** What Anna may do with her lab machine under these rules. */
export function rightsUnder(...rules: GivenRule[]) {
  return accessOf({ access: rules }).decide(anna, lab).allow;
}

export const rule = (
  which: GivenRule['which'],
  allow: GivenRule['allow'] = ['view'],
  who: GivenRule['who'] = { everyone: true },
): GivenRule => ({ who, which, allow });
