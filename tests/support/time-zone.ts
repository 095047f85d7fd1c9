/**
 * The zone in which the integration tests and every service of their stack run. Half an hour off the full ones and with
 * daylight-saving time: whatever takes a local time for UTC gives wrong hours here.
 */
export const timeZone = 'America/St_Johns';
