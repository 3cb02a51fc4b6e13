import type { ComponentChildren } from 'preact';
import type { PowerAction } from '../api.ts';

/** Icons are decorative: the control around one has its own name. `directional`: it points along the text. */
function icon(children: ComponentChildren, { directional = false } = {}) {
  return function Icon() {
    return (
      <svg
        class={directional ? 'icon directional' : 'icon'}
        viewBox="0 0 24 24"
        fill="none"
        stroke="currentColor"
        stroke-width="1.75"
        stroke-linecap="round"
        stroke-linejoin="round"
        aria-hidden="true"
        focusable="false"
      >
        {children}
      </svg>
    );
  };
}

export const MachineIcon = icon(
  <>
    <rect x="3" y="4" width="18" height="12" rx="2" />
    <path d="M9 20h6M12 16v4" />
  </>,
);
export const ContainerIcon = icon(
  <>
    <path d="M12 3 20 7.5v9L12 21l-8-4.5v-9z" />
    <path d="m4 7.5 8 4.5 8-4.5M12 12v9" />
  </>,
);
export const NodeIcon = icon(
  <>
    <rect x="4" y="4" width="16" height="7" rx="1.5" />
    <rect x="4" y="13" width="16" height="7" rx="1.5" />
    <path d="M7.500 7.500h.01M7.500 16.500h.01" stroke-width="2.200" />
  </>,
);
/** "1:1": an original size. */
export const OriginalSizeIcon = icon(
  <>
    <path d="M4 8.500 6.500 7v10M16 8.500 18.500 7v10" />
    <path d="M11.500 10h.01M11.500 15h.01" stroke-width="2.200" />
  </>,
);
export const SignOutIcon = icon(
  <>
    <path d="M14 4H6a1 1 0 0 0-1 1v14a1 1 0 0 0 1 1h8" />
    <path d="M10 12h10m-3.500-3.500L20 12l-3.500 3.500" />
  </>,
);
export const SearchIcon = icon(
  <>
    <circle cx="11" cy="11" r="6.5" />
    <path d="m16 16 4.5 4.5" />
  </>,
);
export const MoreIcon = icon(<path stroke-width="2.600" d="M12 5.500v.01M12 12v.01M12 18.500v.01" />);
export const ScreenIcon = icon(
  <>
    <rect x="3" y="4" width="18" height="13" rx="2" />
    <path d="m10 8 4 2.5-4 2.500zM8 21h8" />
  </>,
);
export const WindowIcon = icon(
  <>
    <path d="M13 4h7v7M20 4l-9 9" />
    <path d="M18 14v4a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V8a2 2 0 0 1 2-2h4" />
  </>,
);
export const EyeIcon = icon(
  <>
    <path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z" />
    <circle cx="12" cy="12" r="2.750" />
  </>,
);
export const EyeOffIcon = icon(
  <>
    <path d="M10 5.700a9 9 0 0 1 2-.2c6 0 9.5 6.5 9.5 6.500a17 17 0 0 1-2.600 3.400M6.300 7.300A16 16 0 0 0 2.5 12S6 18.5 12 18.500a9 9 0 0 0 4.400-1.100M3 3l18 18" />
    <path d="M9.900 10a2.750 2.750 0 0 0 3.900 3.900" />
  </>,
);
export const BackIcon = icon(<path d="M14.5 5.5 8 12l6.5 6.5" />, { directional: true });
export const GlobeIcon = icon(
  <>
    <circle cx="12" cy="12" r="9" />
    <path d="M3 12h18M12 3c5 5.5 5 12.5 0 18M12 3c-5 5.5-5 12.5 0 18" />
  </>,
);
export const KeyboardIcon = icon(
  <>
    <rect x="2.5" y="6" width="19" height="12" rx="2" />
    <path d="M6.5 10v.01M10 10v.01M14 10v.01M17.5 10v.01M8 14h8" />
  </>,
);
export const ClipboardIcon = icon(
  <>
    <rect x="5" y="4.5" width="14" height="16" rx="2" />
    <path d="M9 4.500a1.5 1.5 0 0 1 1.5-1.500h3A1.5 1.5 0 0 1 15 4.500V6H9zM9 11h6M9 15h4" />
  </>,
);
export const FullScreenIcon = icon(
  <path d="M4 9V5.500A1.5 1.5 0 0 1 5.5 4H9M15 4h3.500A1.5 1.5 0 0 1 20 5.500V9M20 15v3.500a1.5 1.5 0 0 1-1.5 1.500H15M9 20H5.500A1.5 1.5 0 0 1 4 18.500V15" />,
);
export const LeaveFullScreenIcon = icon(
  <path d="M9 4v3.500A1.5 1.5 0 0 1 7.5 9H4M20 9h-3.500A1.5 1.5 0 0 1 15 7.500V4M15 20v-3.500a1.5 1.5 0 0 1 1.5-1.500H20M4 15h3.500A1.5 1.5 0 0 1 9 16.500V20" />,
);
export const ReloadIcon = icon(
  <>
    <path d="M19.5 12a7.5 7.5 0 1 1-2.200-5.300L19.5 9" />
    <path d="M19.5 4.500V9H15" />
  </>,
);
export const PowerKeysIcon = icon(
  <>
    <rect x="3" y="7" width="18" height="10" rx="2.5" />
    <path d="M7.5 12h.01M12 12h.01M16.5 12h.01" stroke-width="2.600" />
  </>,
);
export const PowerIcon = icon(
  <>
    <path d="M12 3.500v8" />
    <path d="M7 6.500a7.500 7.500 0 1 0 10 0" />
  </>,
);
export const StopIcon = icon(<rect x="6" y="6" width="12" height="12" rx="2" />);
export const RaisedHandIcon = icon(
  <path d="M8 12V5.500a1.500 1.500 0 0 1 3 0V11V4a1.500 1.500 0 0 1 3 0v7V6a1.500 1.500 0 0 1 3 0v8c0 4-2.500 7-6 7-3 0-4.500-1.500-6-4.500l-1.500-3a1.500 1.500 0 0 1 2.500-1.500z" />,
);
export const PlayIcon = icon(<path d="M8 5.500v13l11-6.500z" />);
export const PauseIcon = icon(<path stroke-width="2.200" d="M9 6v12M15 6v12" />);
export const MessageIcon = icon(<path d="M4 5h16v11H9l-5 4z" />);
export const HandIcon = icon(
  <>
    <path d="M5 3.500 19 12l-6.500 1.300L9 19.500z" />
  </>,
);
export const CheckIcon = icon(<path stroke-width="2.200" d="m5.5 12.5 4.200 4.200 8.800-9.200" />);
export const CloseIcon = icon(<path d="m6 6 12 12M18 6 6 18" />);
export const AlertIcon = icon(
  <>
    <circle cx="12" cy="12" r="9" />
    <path d="M12 7.500v5.500M12 16.300v.01" />
  </>,
);
export const TerminalIcon = icon(
  <>
    <rect x="3" y="4.500" width="18" height="15" rx="2" />
    <path d="m7 9.500 3 2.500-3 2.500M12.500 15h4.500" />
  </>,
);

export function PowerActionIcon({ action }: { readonly action: PowerAction }) {
  if (action === 'reboot' || action === 'reset') return <ReloadIcon />;
  return action === 'stop' ? <StopIcon /> : <PowerIcon />;
}
