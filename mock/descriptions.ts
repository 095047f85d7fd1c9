/** Owns the conditions' descriptions in other languages than English. https://openweathermap.org/current#multi */
import type { Condition } from './conditions.ts';

type Descriptions = Readonly<Record<number, string>>;

const german: Descriptions = {
  200: 'Gewitter mit leichtem Regen',
  201: 'Gewitter mit Regen',
  202: 'Gewitter mit starkem Regen',
  300: 'leichtes Nieseln',
  500: 'Leichter Regen',
  501: 'Mäßiger Regen',
  502: 'Sehr starker Regen',
  503: 'Sehr starker Regen',
  520: 'Leichte Regenschauer',
  521: 'Regenschauer',
  600: 'Mäßiger Schnee',
  601: 'Schnee',
  602: 'Heftiger Schneefall',
  615: 'Leichter Schneeregen',
  616: 'Schneeregen',
  701: 'Leichter Nebel',
  721: 'Dunst',
  741: 'Nebel',
  761: 'Staub',
  800: 'Klarer Himmel',
  801: 'Ein paar Wolken',
  802: 'Mäßig bewölkt',
  803: 'Überwiegend bewölkt',
  804: 'Bedeckt',
};

const french: Descriptions = {
  200: 'orage et pluie fine',
  201: 'orage et pluie',
  202: 'orage et fortes pluies',
  300: 'bruine légère',
  500: 'légère pluie',
  501: 'pluie modérée',
  502: 'forte pluie',
  503: 'très fortes précipitations',
  520: 'averses légères',
  521: 'averses',
  600: 'légères chutes de neige',
  601: 'chutes de neige',
  602: 'fortes chutes de neige',
  615: 'légère pluie et neige',
  616: 'pluie et neige',
  701: 'brume',
  721: 'brume sèche',
  741: 'brouillard',
  761: 'poussière',
  800: 'ciel dégagé',
  801: 'peu nuageux',
  802: 'partiellement nuageux',
  803: 'nuageux',
  804: 'couvert',
};

const spanish: Descriptions = {
  200: 'tormenta con lluvia ligera',
  201: 'tormenta con lluvia',
  202: 'tormenta con lluvia intensa',
  300: 'llovizna ligera',
  500: 'lluvia ligera',
  501: 'lluvia moderada',
  502: 'lluvia de gran intensidad',
  503: 'lluvia muy fuerte',
  520: 'chubasco de ligera intensidad',
  521: 'chubasco',
  600: 'nevada ligera',
  601: 'nieve',
  602: 'nevada intensa',
  615: 'lluvia ligera y nieve',
  616: 'lluvia y nieve',
  701: 'niebla',
  721: 'calima',
  741: 'niebla densa',
  761: 'polvo',
  800: 'cielo claro',
  801: 'algo de nubes',
  802: 'nubes dispersas',
  803: 'muy nuboso',
  804: 'nubes',
};

const italian: Descriptions = {
  200: 'temporale con pioggia leggera',
  201: 'temporale con pioggia',
  202: 'temporale con pioggia forte',
  300: 'pioggerella leggera',
  500: 'pioggia leggera',
  501: 'pioggia moderata',
  502: 'forte pioggia',
  503: 'pioggia molto forte',
  520: 'leggero rovescio',
  521: 'rovescio',
  600: 'neve leggera',
  601: 'neve',
  602: 'forte nevicata',
  615: 'pioggia leggera e neve',
  616: 'pioggia e neve',
  701: 'foschia',
  721: 'caligine',
  741: 'nebbia',
  761: 'polvere',
  800: 'cielo sereno',
  801: 'poche nuvole',
  802: 'nubi sparse',
  803: 'nubi sparse',
  804: 'cielo coperto',
};

const languages: Readonly<Record<string, Descriptions>> = {
  de: german,
  fr: french,
  es: spanish,
  sp: spanish,
  it: italian,
};

/** The same conditions described in the language; in English when the mock does not speak it. */
export function describedIn(conditions: readonly Condition[], language: string | null): Condition[] {
  const descriptions = languages[language?.toLowerCase() ?? ''];
  return conditions.map((condition) => ({
    ...condition,
    description: descriptions?.[condition.id] ?? condition.description,
  }));
}
