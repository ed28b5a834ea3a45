/** The date whose behaviour a worker has: a newer one can change what there is in it. */
export const COMPATIBILITY_DATE: string
