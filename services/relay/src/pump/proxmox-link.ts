import type { TLSSocket } from 'node:tls';
import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import { clientFrame, opcodes } from '../websocket/frame.ts';
import { createProxmoxFrames, maxProxmoxPayload } from '../websocket/proxmox-frames.ts';
import type { Link, LinkHandler } from './link.ts';

/** A machine's side of a console, that can be asked whether it is still there. */
export interface MachineLink extends Link {
  /** Sends a ping. Its answer calls back, once. */
  ping(onPong: () => void): void;
}

/** A link to a console at Proxmox. The socket's reader feeds it. */
export interface ProxmoxLink extends MachineLink {
  /** So many bytes of the connection were read, and lie there until this returns. */
  received(source: Buffer, length: number): void;
}

/** A VNC server says 12 bytes before it is spoken to; one read may bring more, and no honest one more than this. */
const earlyBytes = 128 * 1024;

export function createProxmoxLink(socket: TLSSocket): ProxmoxLink {
  let handler: LinkHandler | undefined;
  let early: Buffer[] = [];
  let earlyLength = 0;
  let framesSent = 0;
  let onPong: (() => void) | undefined;
  let lost: { readonly error?: PortholeError } | undefined;

  const frames = createProxmoxFrames({
    payload(source, start, end) {
      if (handler) handler.bytes(source, start, end);
      else keep(Buffer.from(source.subarray(start, end)));
    },
    pong() {
      const answered = onPong;
      onPong = undefined;
      answered?.();
    },
    close: () => lose(),
  });

  function keep(piece: Buffer): void {
    early.push(piece);
    earlyLength += piece.length;
    if (earlyLength > earlyBytes)
      throw new PortholeError('proxmox_nonsense', { detail: 'the VNC server talks before it is spoken to' });
  }

  function lose(error?: PortholeError): void {
    if (lost) return;
    lost = error ? { error } : {};
    socket.destroy();
    handler?.ended(error);
  }

  const sent = () => handler?.drained?.();
  socket.pause();
  // An error is always followed by a close, which is what we act on.
  socket.on('error', () => {});
  socket.on('end', () => lose());
  socket.on('close', () => lose());
  if (socket.destroyed || socket.readableEnded) lose();

  return {
    received(source, length) {
      if (lost) return;
      try {
        frames.read(source, length);
      } catch (error) {
        lose(asPortholeError(error));
      }
    },
    send(source, start = 0, end = source.length) {
      if (!socket.writable) return true;
      for (let at = start; at < end; at += maxProxmoxPayload) {
        const piece = source.subarray(at, Math.min(end, at + maxProxmoxPayload));
        socket.write(clientFrame(opcodes.binary, piece), sent);
        framesSent++;
      }
      return socket.writableLength === 0;
    },
    get buffered() {
      return socket.writableLength;
    },
    get framesSent() {
      return framesSent;
    },
    ping(answered) {
      onPong = answered;
      if (socket.writable) socket.write(clientFrame(opcodes.ping, Buffer.alloc(0)), sent);
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    handle(next) {
      const first = handler === undefined;
      handler = next;
      const waiting = early;
      early = [];
      for (const piece of waiting) next.bytes(piece, 0, piece.length);
      if (lost) next.ended(lost.error);
      else if (first) socket.resume();
    },
    destroy: () => void socket.destroy(),
  };
}
