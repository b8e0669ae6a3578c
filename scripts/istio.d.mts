export function istioFolder(): string
export function buildIstio(names?: string[]): Promise<string>
