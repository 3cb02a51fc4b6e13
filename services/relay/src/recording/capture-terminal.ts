import type { MessageFilter } from '../stream/message-filter.ts';
import type { UpstreamSide } from '../stream/upstream-side.ts';
import { readHeader, readTerminalMessages } from '../terminal/terminal-messages.ts';
import type { Capture } from './capture.ts';
import { recordUpstream } from './record-upstream.ts';

/** Records a terminal: its output as it is forwarded, and what the filter lets pass of the viewer. */
export function captureTerminal({ recorder, keys }: Capture) {
  function onForwarded(messages: readonly Buffer[]): void {
    for (const bytes of messages)
      for (const message of readTerminalMessages(bytes)) {
        if (message.type === 'data') {
          recorder.record({ type: 'key' });
          if (keys) recorder.record({ type: 'keyValue', bytes: message.data });
        } else if (message.type === 'size') {
          const size = readHeader(message.bytes);
          if (size?.type === 'size')
            recorder.record({
              type: 'terminal',
              code: 'r',
              bytes: Buffer.from(`${size.columns}x${size.rows}`),
            });
        }
      }
  }

  return {
    upstream: (side: UpstreamSide): UpstreamSide =>
      recordUpstream(side, recorder, (source, start, end) => recorder.terminalOutput(source, start, end)),
    filter: (filter: MessageFilter): MessageFilter => ({
      push(chunk, forwarded = []) {
        const before = forwarded.length;
        try {
          return filter.push(chunk, forwarded);
        } finally {
          onForwarded(forwarded.slice(before));
        }
      },
      get atMessageBoundary() {
        return filter.atMessageBoundary;
      },
    }),
  };
}
