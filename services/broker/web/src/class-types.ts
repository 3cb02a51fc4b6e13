/** The answers and requests of the API about classes. */
export interface ClassList {
  /** All classes of the user. */
  readonly available: readonly Pick<ClassDetails, 'name' | 'title' | 'role'>[];
  /** The classes themselves, or the one that was asked for. */
  readonly classes: readonly ClassDetails[];
  readonly truncated?: boolean;
}

export interface ClassDetails {
  readonly name: string;
  readonly title: string;
  readonly role: 'instructor' | 'member';
  readonly may: readonly ClassAction['action'][];
  readonly lesson?: {
    readonly now?: { readonly until?: string };
    readonly next?: { readonly from: string; readonly until?: string };
  };
  /** Minutes before and after each lesson. */
  readonly timetable?: { readonly startMinutes?: number; readonly shutdownMinutes?: number };
  readonly paused?: { readonly until: string; readonly text: string; readonly by?: string };
  readonly ending?: { readonly at: string; readonly by?: string };
  readonly shown?: {
    readonly cluster: string;
    readonly vmid: number;
    readonly name: string;
    readonly until: string;
    readonly by?: string;
  };
  readonly starting?: {
    readonly total: number;
    readonly started: number;
    readonly failed: number;
    readonly running: boolean;
  };
  readonly hands: readonly (HandDetails & { readonly user: Member })[];
  readonly seats: readonly Seat[];
  readonly truncated?: boolean;
}

interface HandDetails {
  /** 1 is first. */
  readonly position: number;
  readonly since: string;
  readonly text: string;
}

export interface Member {
  /** Known while the member has a console. */
  readonly id?: string;
  readonly name: string;
  readonly displayName?: string;
}

export interface Seat {
  readonly machine: {
    readonly cluster: string;
    readonly vmid: number;
    readonly name: string;
    readonly type: 'qemu' | 'lxc';
    readonly node: string;
  };
  readonly member?: Member;
  readonly state: 'off' | 'free' | 'open';
  /** Who has taken control of the machine. */
  readonly control?: { readonly user: Member; readonly mine: boolean };
  readonly help?: HandDetails;
}

export type ClassAction =
  | { readonly action: 'pause'; readonly seconds: number; readonly text: string }
  | { readonly action: 'resume' | 'start' | 'cancel_end' | 'stop_showing' }
  | { readonly action: 'show'; readonly cluster: string; readonly vmid: number }
  | { readonly action: 'message'; readonly text: string; readonly users?: readonly string[] }
  | { readonly action: 'lower'; readonly users: readonly string[] }
  | { readonly action: 'end'; readonly seconds: number };
