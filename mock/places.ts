/** Owns what a city's row in the registry does not tell and the API does: postal codes, states, inhabitants, names elsewhere. */
import { hashOf } from './noise.ts';

export interface Place {
  /** Postal codes that mean the city, the first one its own. */
  zips: readonly string[];
  /** In the United States alone, as in the API: the code and the name of the state. */
  state?: readonly [code: string, name: string];
  /** Rounded; 0 when the API would not know it either. */
  population: number;
  /** By language. */
  localNames?: Readonly<Record<string, string>>;
}

/** By city id. The documentation of the API asks for Mountain View (94040): its nearest city here is Los Angeles. */
const known: ReadonlyMap<number, Place> = new Map<number, Place>([
  [112931, { zips: ['11369'], population: 7_153_309, localNames: { fa: 'تهران', de: 'Teheran' } }],
  [184745, { zips: ['00100'], population: 2_750_547 }],
  [292223, { zips: ['00000'], population: 3_790_000, localNames: { ar: 'دبي' } }],
  [
    360630,
    { zips: ['11511'], population: 7_734_614, localNames: { ar: 'القاهرة', de: 'Kairo', fr: 'Le Caire' } },
  ],
  [379252, { zips: ['11111'], population: 1_974_647 }],
  [
    524901,
    { zips: ['101000'], population: 10_381_222, localNames: { ru: 'Москва', de: 'Moskau', fr: 'Moscou' } },
  ],
  [745044, { zips: ['34000'], population: 14_804_116, localNames: { tr: 'İstanbul' } }],
  [1138958, { zips: ['1001'], population: 3_043_532 }],
  [1185241, { zips: ['1000'], population: 10_356_500 }],
  [1248991, { zips: ['00100'], population: 648_034 }],
  [1273294, { zips: ['110001'], population: 10_927_986, localNames: { hi: 'दिल्ली' } }],
  [1283240, { zips: ['44600'], population: 1_442_271 }],
  [1298824, { zips: ['11181'], population: 4_477_638 }],
  [1496747, { zips: ['630000'], population: 1_419_007, localNames: { ru: 'Новосибирск' } }],
  [1497337, { zips: ['663300'], population: 179_554, localNames: { ru: 'Норильск' } }],
  [1512569, { zips: ['100000'], population: 1_978_028 }],
  [1816670, { zips: ['100000'], population: 18_960_744, localNames: { zh: '北京', de: 'Peking' } }],
  [1850147, { zips: ['100-0001'], population: 8_336_599, localNames: { ja: '東京都', de: 'Tokio' } }],
  [1880252, { zips: ['018989'], population: 3_547_809, localNames: { zh: '新加坡', de: 'Singapur' } }],
  [2013159, { zips: ['677000'], population: 235_600, localNames: { ru: 'Якутск' } }],
  [2028462, { zips: ['14200'], population: 844_818 }],
  [2071828, { zips: ['6443'], population: 0 }],
  [2073124, { zips: ['0800'], population: 129_062 }],
  [2077895, { zips: ['0870'], population: 25_186 }],
  [2078025, { zips: ['5000'], population: 1_225_235 }],
  [2122104, { zips: ['683000'], population: 187_282 }],
  [2147714, { zips: ['2000'], population: 4_627_345 }],
  [2193733, { zips: ['1010'], population: 417_910 }],
  [2253354, { zips: ['12500'], population: 2_476_400 }],
  [2332459, { zips: ['100001'], population: 9_000_000 }],
  [
    2643743,
    {
      zips: ['EC1A', 'E14', 'SW1A'],
      population: 8_961_989,
      localNames: { fr: 'Londres', it: 'Londra', ru: 'Лондон' },
    },
  ],
  [2729907, { zips: ['9170'], population: 2_060 }],
  [2950159, { zips: ['10115', '10117'], population: 3_426_354, localNames: { it: 'Berlino', ru: 'Берлин' } }],
  [2988507, { zips: ['75000', '75001'], population: 2_138_551, localNames: { it: 'Parigi', ru: 'Париж' } }],
  [3117735, { zips: ['28001'], population: 3_255_944 }],
  [3133895, { zips: ['9008'], population: 38_980 }],
  [3143244, { zips: ['0010', '0150'], population: 580_000 }],
  [3352136, { zips: ['10005'], population: 268_132 }],
  [3369157, { zips: ['8001'], population: 3_433_441, localNames: { de: 'Kapstadt', fr: 'Le Cap' } }],
  [3374333, { zips: ['7600'], population: 113_364 }],
  [3421319, { zips: ['3900'], population: 14_798 }],
  [3435910, { zips: ['1001'], population: 13_076_300 }],
  [3448439, { zips: ['01000-000'], population: 10_021_295 }],
  [
    3530597,
    { zips: ['06000'], population: 12_294_193, localNames: { es: 'Ciudad de México', de: 'Mexiko-Stadt' } },
  ],
  [3652462, { zips: ['170150'], population: 1_399_814 }],
  [3663517, { zips: ['69000-000'], population: 1_598_210 }],
  [3833367, { zips: ['9410'], population: 58_028 }],
  [3899539, { zips: ['1240000'], population: 309_832 }],
  [3936456, { zips: ['15001'], population: 7_737_002 }],
  [4020109, { zips: ['98741'], population: 0 }],
  [4032804, { zips: ['8942'], population: 300 }],
  [4035413, { zips: ['1330'], population: 40_407 }],
  [4887398, { zips: ['60601'], state: ['IL', 'Illinois'], population: 2_720_546 }],
  [
    5128581,
    { zips: ['10001'], state: ['NY', 'New York'], population: 8_175_133, localNames: { es: 'Nueva York' } },
  ],
  [5308655, { zips: ['85001'], state: ['AZ', 'Arizona'], population: 1_445_632 }],
  [
    5368361,
    { zips: ['90001', '90210', '94040', '95050'], state: ['CA', 'California'], population: 3_971_883 },
  ],
  [5419384, { zips: ['80202'], state: ['CO', 'Colorado'], population: 600_158 }],
  [5856195, { zips: ['96801'], state: ['HI', 'Hawaii'], population: 371_657 }],
  [5879400, { zips: ['99501'], state: ['AK', 'Alaska'], population: 291_826 }],
  [6324733, { zips: ['A1A'], population: 99_182 }],
]);

/** What is known of the city; for any other a postal code of five digits that follows from its id. */
export function placeOf(cityId: number): Place {
  return known.get(cityId) ?? { zips: [String(10_000 + (hashOf(cityId) % 90_000))], population: 0 };
}
