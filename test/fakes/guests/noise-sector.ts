/**
 * A boot sector that fills 640x480 pixels of 24 bits with noise, like a photograph, and again with other noise after each
 * key. After the key 8, it has 800x600 pixels. Runs in real mode; the BIOS loads it at 0000:7C00.
 */
export function noiseSector(): Buffer {
  const code = [
    [0x31, 0xc0], //             xor ax, ax
    [0x8e, 0xd8], //             mov ds, ax
    [0x8e, 0xd0], //             mov ss, ax
    [0xbc, 0x00, 0x7c], //       mov sp, 7C00h
    [0xfc], //                   cld
    [0xb8, 0x02, 0x4f], //       mov ax, 4F02h      VBE: set the mode
    [0xbb, 0x12, 0x01], //       mov bx, 0112h      640x480, 24 bits
    [0xcd, 0x10], //             int 10h
    [0xb8, 0x00, 0xa0], //       mov ax, A000h
    [0x8e, 0xc0], //             mov es, ax
    [0xbe, 0x34, 0x12], //       mov si, 1234h      the seed
    // draw:
    [0x31, 0xed], //             xor bp, bp
    // bank:
    [0xb8, 0x05, 0x4f], //       mov ax, 4F05h      VBE: show the next 64 KiB in the window at A000h
    [0x31, 0xdb], //             xor bx, bx
    [0x89, 0xea], //             mov dx, bp
    [0xcd, 0x10], //             int 10h
    [0x31, 0xff], //             xor di, di
    // byte:
    [0xb8, 0x55, 0x62], //       mov ax, 25173
    [0xf7, 0xe6], //             mul si
    [0x05, 0x19, 0x36], //       add ax, 13849
    [0x89, 0xc6], //             mov si, ax
    [0x88, 0xe0], //             mov al, ah
    [0xaa], //                   stosb
    [0x85, 0xff], //             test di, di
    [0x75, 0xef], //             jnz byte
    [0x45], //                   inc bp
    [0x83, 0xfd, 0x0f], //       cmp bp, 15         640 * 480 * 3 bytes
    [0x75, 0xde], //             jne bank
    [0x30, 0xe4], //             xor ah, ah         wait for a key
    [0xcd, 0x16], //             int 16h
    [0x46], //                   inc si             the noise repeats after 64 KiB
    [0x3c, 0x38], //             cmp al, '8'
    [0x75, 0xd3], //             jne draw
    [0xb8, 0x02, 0x4f], //       mov ax, 4F02h
    [0xbb, 0x15, 0x01], //       mov bx, 0115h      800x600, 24 bits; the noise fills the upper part
    [0xcd, 0x10], //             int 10h
    [0xeb, 0xc9], //             jmp draw
  ];
  const sector = Buffer.alloc(512);
  Buffer.from(code.flat()).copy(sector);
  sector.writeUInt16LE(0xaa55, 510);
  return sector;
}
