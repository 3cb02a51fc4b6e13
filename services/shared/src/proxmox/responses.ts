import { z } from 'zod';

/** The fields of Proxmox's responses that Porthole reads (pve-manager API2/Cluster.pm, qemu-server API2/Qemu.pm). */

/** GET /cluster/resources?type=vm */
export const resourcesResponse = z.object({
  data: z.array(
    z.object({
      vmid: z.number().int(),
      type: z.enum(['qemu', 'lxc']),
      node: z.string(),
      status: z.string().default('unknown'),
      name: z.string().optional(),
      template: z.union([z.number(), z.boolean()]).optional(),
      tags: z.string().optional(),
      pool: z.string().optional(),
    }),
  ),
});

/** GET /nodes/{node}/{type}/{vmid}/status/current */
export const statusResponse = z.object({
  data: z.object({
    status: z.string(),
    name: z.string().optional(),
    /** The version of QEMU, only for a virtual machine whose QEMU answers. */
    'running-qemu': z.string().optional(),
  }),
});

/** GET /version */
export const versionResponse = z.object({ data: z.object({ version: z.string() }) });

/** POST /nodes/{node}/{type}/{vmid}/vncproxy. `port` is a string in some versions; `password` is new in April 2026. */
export const vncproxyResponse = z.object({
  data: z.object({
    port: z.coerce.number().int().min(5900).max(5999),
    ticket: z.string().min(8).max(512),
    password: z.string().min(1).optional(),
  }),
});

/** POST /nodes/{node}/{type}/{vmid}/status/{action}: the UPID of the task. */
export const taskStartedResponse = z.object({ data: z.string().startsWith('UPID:').max(512) });

/** GET /nodes/{node}/tasks/{upid}/status */
export const taskStatusResponse = z.object({
  data: z.object({ status: z.string(), exitstatus: z.string().optional() }),
});

/** POST /nodes/{node}[/{type}/{vmid}]/termproxy. The ticket is valid for `user`, which may be an API token. */
export const termproxyResponse = z.object({
  data: z.object({
    port: z.coerce.number().int().min(5900).max(5999),
    ticket: z.string().min(8).max(512),
    user: z.string().min(1).max(512),
  }),
});

/** GET /nodes/{node}/qemu/{vmid}/config */
const serialPort = z.string().optional();
export const configResponse = z.object({
  data: z.object({
    vga: z.string().optional(),
    serial0: serialPort,
    serial1: serialPort,
    serial2: serialPort,
    serial3: serialPort,
  }),
});

/**
 * POST /access/ticket. With `NeedTFA` the ticket is a challenge, which lists the second factors and is exchanged for a
 * ticket with one of them.
 */
export const ticketResponse = z.object({
  data: z.object({
    username: z.string().optional(),
    ticket: z.string().min(1),
    /** Sent as a header, so it must not contain line breaks. */
    CSRFPreventionToken: z
      .string()
      .regex(/^[!-~]+$/)
      .optional(),
    NeedTFA: z.union([z.literal(1), z.literal(true)]).optional(),
  }),
});

/**
 * GET /access/permissions: the caller's privileges by path, each with whether it propagates below the path. Paths
 * without privileges are left out, whether an entry removes them (NoAccess) or there is no entry.
 */
export const permissionsResponse = z.object({
  data: z.record(z.string(), z.record(z.string(), z.union([z.number(), z.boolean()]))),
});

/** GET /cluster/status. A node that is not in a cluster lists only itself, with ID 0. */
export const clusterStatusResponse = z.object({
  data: z.array(
    z.object({
      type: z.string(),
      name: z.string(),
      /** Anything but an IP address counts as unknown. */
      ip: z.union([z.ipv4(), z.ipv6()]).optional().catch(undefined),
      nodeid: z.number().int().optional(),
      online: z.union([z.number(), z.boolean()]).optional(),
    }),
  ),
});
