import { useEffect, useState } from 'preact/hooks';
import { t } from '../../language/t.ts';
import { FullScreenIcon, LeaveFullScreenIcon } from '../../components/icons.tsx';
import { ToolButton } from './tool-button.tsx';

interface KeyboardLock {
  lock?: () => Promise<void>;
}

export function FullScreenTool({
  thenFocusDisplay,
}: {
  readonly thenFocusDisplay: (action: () => void) => void;
}) {
  const [full, setFull] = useState(false);
  useEffect(() => {
    const onChange = () => setFull(document.fullscreenElement !== null);
    document.addEventListener('fullscreenchange', onChange);
    return () => document.removeEventListener('fullscreenchange', onChange);
  }, []);
  return (
    <ToolButton
      label={t(full ? 'tools.leaveFullScreen' : 'tools.fullScreen')}
      onClick={() => thenFocusDisplay(() => void toggleFullScreen())}
    >
      {full ? <LeaveFullScreenIcon /> : <FullScreenIcon />}
    </ToolButton>
  );
}

/** In full screen, the machine gets even Escape and Ctrl+W if the browser has the Keyboard Lock API. */
async function toggleFullScreen(): Promise<void> {
  try {
    if (document.fullscreenElement) return await document.exitFullscreen();
    await document.documentElement.requestFullscreen({ navigationUI: 'hide' });
    await (navigator as Navigator & { keyboard?: KeyboardLock }).keyboard?.lock?.();
  } catch {
    // The browser has no full screen for pages, or the user refused. The console works without it.
  }
}
