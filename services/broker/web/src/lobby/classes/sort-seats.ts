import type { Seat } from '../../class-types.ts';

/** Members who ask for help first, in their order. The others stay in the order of the API, by machine. */
export function sortSeats(seats: readonly Seat[]): Seat[] {
  const place = ({ help }: Seat) => help?.position ?? Number.POSITIVE_INFINITY;
  return [...seats].sort((a, b) => (place(a) === place(b) ? 0 : place(a) - place(b)));
}

export function seatKey({ machine }: Seat): string {
  return `${machine.cluster}/${machine.vmid}`;
}
