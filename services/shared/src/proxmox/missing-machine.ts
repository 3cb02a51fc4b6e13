/**
 * Messages of Proxmox about a machine that is not on the node. `load_config` dies with the first; checks whether a
 * machine runs with the second (qemu-server, pve-container). Other things that "do not exist" are not machines.
 */
const missingMachine =
  /Configuration file '[^']*\/\d+\.conf' does not exist|unable to find configuration file for (?:VM|CT) \d+/;

/** Whether the message of a refused call or of a failed task says that the machine is not on the node. */
export function saysMachineIsMissing(message: string): boolean {
  return missingMachine.test(message);
}
