/** Draws hours for a terminal: the temperature as a line, rain and snow as bars. Readable without colour, at any width. */
import pc from 'picocolors';

export interface DayHour {
  readonly window_start: Date;
  /** 0 stands for an hour without a row. */
  readonly observation_count: number;
  /** °C */
  readonly temp_avg: number | null;
  readonly temp_min: number | null;
  readonly temp_max: number | null;
  readonly rain_mm: number | null;
  readonly snow_mm: number | null;
}

export interface PictureOptions {
  /** Whose hours stand below the picture. */
  readonly timezone: string;
  /** Columns of the terminal; where they are too few for all hours, the newest are drawn. */
  readonly width: number;
}

const LABEL = 8;
const MOST_ROWS = 8;
const MOST_COLUMNS_AN_HOUR = 3;
const BAR_ROWS = 2;

export function dayPicture(all: readonly DayHour[], { timezone, width }: PictureOptions): string {
  const room = Math.max(1, width - LABEL - 1);
  const hours = all.slice(-room);
  const each = Math.max(1, Math.min(MOST_COLUMNS_AN_HOUR, Math.floor(room / hours.length)));
  const local = localHours(timezone);
  return [
    ...temperatureLines(hours, each),
    axisLine(hours, each),
    `${' '.repeat(LABEL + 1)}${hourLabels(hours, each, local)}`.trimEnd(),
    '',
    ...precipitationLines(hours, each),
    ...notes(hours, timezone, local),
  ].join('\n');
}

/** Never "-0.0". */
const figure = (value: number): string => value.toFixed(1).replace(/^-0\.0$/, '0.0');

const label = (text: string): string => text.padStart(LABEL - 1).padEnd(LABEL);

/** From the top: the line lies at the level of each hour's mean, and corners lead from one level to the next. */
function temperatureLines(hours: readonly DayHour[], each: number): readonly string[] {
  const known = hours.flatMap(({ temp_avg }) => (temp_avg === null ? [] : [temp_avg]));
  if (known.length === 0) return [`${label('°C')}│`];
  const [low, high] = [Math.min(...known), Math.max(...known)];
  // Labels have one digit behind the point: no two of them are to be the same.
  const rows = Math.max(1, Math.min(MOST_ROWS, Math.round((high - low) * 10) + 1));
  const step = rows === 1 ? 0 : (high - low) / (rows - 1);
  const levels = hours.map(({ temp_avg }) =>
    temp_avg === null ? undefined : step === 0 ? 0 : Math.round((temp_avg - low) / step),
  );
  return Array.from({ length: rows }, (_, index) => {
    const row = rows - 1 - index;
    const cells = levels.map((level, hour) => cellOf(levels[hour - 1], level, row, each)).join('');
    const unit = index === 0 ? '°C' : '  ';
    return `${label(`${figure(low + row * step)} ${unit}`)}┤${pc.yellow(cells.trimEnd())}`;
  });
}

/** One hour in one row: the corner or the line that leads to it from the hour before, then its own level. */
function cellOf(before: number | undefined, level: number | undefined, row: number, each: number): string {
  if (level === undefined) return ' '.repeat(each);
  const rest = (row === level ? '─' : ' ').repeat(each - 1);
  if (before === undefined || before === level) return (row === level ? '─' : ' ') + rest;
  if (row === level) return (level > before ? '╭' : '╰') + rest;
  if (row === before) return (level > before ? '╯' : '╮') + rest;
  return (row > Math.min(before, level) && row < Math.max(before, level) ? '│' : ' ') + rest;
}

/** An hour without a row is marked: a line that is missing could be cold. */
const axisLine = (hours: readonly DayHour[], each: number): string =>
  `${' '.repeat(LABEL)}└${hours.map(({ observation_count }) => (observation_count === 0 ? 'x' : '─').repeat(each)).join('')}`;

interface LocalHour {
  readonly hour: number;
  readonly minute: string;
}

function localHours(timezone: string): (at: Date) => LocalHour {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: timezone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  return (at) => {
    const [hour = '0', minute = '00'] = format.format(at).split(':');
    return { hour: Number(hour), minute };
  };
}

/** Every third hour, by the clock of the place. */
function hourLabels(hours: readonly DayHour[], each: number, local: (at: Date) => LocalHour): string {
  const line = Array.from({ length: hours.length * each }, () => ' ');
  hours.forEach(({ window_start }, index) => {
    const { hour } = local(window_start);
    if (hour % 3 !== 0) return;
    // The last one may have no room for its second digit.
    if (index * each + 1 >= line.length) return;
    const [tens, ones] = String(hour).padStart(2, '0');
    line[index * each] = tens ?? ' ';
    line[index * each + 1] = ones ?? ' ';
  });
  return line.join('');
}

const EIGHTHS = ' ▁▂▃▄▅▆▇█';

const precipitation = ({ rain_mm, snow_mm }: DayHour): number => (rain_mm ?? 0) + (snow_mm ?? 0);

function precipitationLines(hours: readonly DayHour[], each: number): readonly string[] {
  const most = Math.max(...hours.map(precipitation));
  if (most === 0) return ['No rain and no snow in these hours.'];
  const heights = hours.map((hour) => {
    const height = precipitation(hour);
    // What fell is seen, however little it is beside the most.
    return height === 0 ? 0 : Math.max(1, Math.round((height / most) * BAR_ROWS * 8));
  });
  const bars = Array.from({ length: BAR_ROWS }, (_, index) => {
    const below = (BAR_ROWS - 1 - index) * 8;
    const cells = heights
      .map((height) => (EIGHTHS[Math.max(0, Math.min(8, height - below))] ?? ' ').repeat(each))
      .join('');
    const scale = index === 0 ? label(`${most.toFixed(1)} mm`) : label('');
    return `${scale}┤${pc.cyan(cells.trimEnd())}`;
  });
  const snow = hours.map(({ snow_mm }) => ((snow_mm ?? 0) > 0 ? '*' : ' ').repeat(each)).join('');
  return [...bars, ...(snow.trim() === '' ? [] : [`${label('snow')} ${snow.trimEnd()}`])];
}

function notes(
  hours: readonly DayHour[],
  timezone: string,
  local: (at: Date) => LocalHour,
): readonly string[] {
  const missing = hours.filter(({ observation_count }) => observation_count === 0).length;
  const known = hours.flatMap(({ temp_min, temp_max }) =>
    temp_min === null || temp_max === null ? [] : [{ temp_min, temp_max }],
  );
  const minute = hours[0] === undefined ? '00' : local(hours[0].window_start).minute;
  const sum = hours.reduce((total, hour) => total + precipitation(hour), 0);
  return [
    '',
    ...(known.length === 0
      ? []
      : [
          `From ${figure(Math.min(...known.map(({ temp_min }) => temp_min)))} to ${figure(Math.max(...known.map(({ temp_max }) => temp_max)))} °C${sum === 0 ? '' : `, ${sum.toFixed(1)} mm in all`}.`,
        ]),
    `Hours in ${timezone}${minute === '00' ? '' : `, each begins at :${minute}`}; the last one still runs.`,
    ...(missing === 0 ? [] : [`x: no observation of this hour (${missing} of ${hours.length}).`]),
  ];
}
