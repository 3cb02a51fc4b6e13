const gib = 1024 ** 3;

/** The figures of an idle guest in the list and in its status. */
export const idleUsage = {
  cpu: 0,
  mem: 0,
  maxmem: 2 * gib,
  memhost: 0,
  disk: 0,
  maxdisk: 8 * gib,
  netin: 0,
  netout: 0,
  diskread: 0,
  diskwrite: 0,
};
