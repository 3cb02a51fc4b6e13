export const logoUrl = new URL('../logo.svg', import.meta.url).href;
export const sceneUrl = new URL('../scene.svg', import.meta.url).href;

export function Brand() {
  return (
    <span class="brand">
      <img src={logoUrl} alt="" width={30} height={30} />
      <span>Porthole</span>
    </span>
  );
}
