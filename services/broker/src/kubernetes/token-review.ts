/**
 * Returns the user name of a token by `authentication.k8s.io/v1` TokenReview, or undefined if the token is not valid
 * for this audience.
 */
export type ReviewToken = (token: string, audience: string) => Promise<string | undefined>;
