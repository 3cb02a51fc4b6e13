/**
 * A boot sector that shows a banner and echoes typed keys. Runs in real mode; the BIOS loads it at 0000:7C00. Written as bytes,
 * so that no assembler is required.
 */
export function bootSector(banner: string): Buffer {
  const text = Buffer.from(`${banner.replaceAll('\n', '\r\n')}\0`, 'latin1');
  const code = [
    [0x31, 0xc0], //             xor ax, ax
    [0x8e, 0xd8], //             mov ds, ax
    [0x8e, 0xd0], //             mov ss, ax
    [0xbc, 0x00, 0x7c], //       mov sp, 7C00h      the stack grows down from the code
    [0xfc], //                   cld
    [0xb8, 0x03, 0x00], //       mov ax, 0003h      text, 80x25, 16 colours
    [0xcd, 0x10], //             int 10h
    [0xb8, 0x00, 0x06], //       mov ax, 0600h      clear a window:
    [0xb7, 0x1f], //             mov bh, 1Fh        white on blue,
    [0xb9, 0x00, 0x00], //       mov cx, 0000h      from row 0, column 0
    [0xba, 0x4f, 0x00], //       mov dx, 004Fh      to row 0, column 79
    [0xcd, 0x10], //             int 10h            teletype output below keeps a cell's colour
    [0xbe, 0x00, 0x00], //       mov si, banner     the address is filled in below
    // print:
    [0xac], //                   lodsb
    [0x84, 0xc0], //             test al, al
    [0x74, 0x05], //             jz key
    [0xe8, 0x00, 0x00], //       call put           filled in below
    [0xeb, 0xf6], //             jmp print
    // key:
    [0x30, 0xe4], //             xor ah, ah         wait for a key; the BIOS halts the processor meanwhile
    [0xcd, 0x16], //             int 16h            AL = its character, 0 for keys without one
    [0x84, 0xc0], //             test al, al
    [0x74, 0xf8], //             jz key
    [0x3c, 0x08], //             cmp al, 08h        backspace:
    [0x75, 0x0c], //             jne not_backspace
    [0xe8, 0x00, 0x00], //       call put           one to the left,
    [0xb0, 0x20], //             mov al, ' '
    [0xe8, 0x00, 0x00], //       call put           a blank over the character,
    [0xb0, 0x08], //             mov al, 08h
    [0xeb, 0x09], //             jmp echo           and to the left again
    // not_backspace:
    [0x3c, 0x0d], //             cmp al, 0Dh        Enter:
    [0x75, 0x05], //             jne echo
    [0xe8, 0x00, 0x00], //       call put           a carriage return
    [0xb0, 0x0a], //             mov al, 0Ah        and a line feed
    // echo:
    [0xe8, 0x00, 0x00], //       call put
    [0xeb, 0xda], //             jmp key
    // put:                      writes the character in AL
    [0xb4, 0x0e], //             mov ah, 0Eh        teletype output
    [0xbb, 0x07, 0x00], //       mov bx, 0007h      page 0
    [0xcd, 0x10], //             int 10h
    [0xc3], //                   ret
  ];
  const bytes = Buffer.from(code.flat());
  const put = bytes.length - 8;
  for (let at = bytes.indexOf(0xe8); at >= 0; at = bytes.indexOf(0xe8, at + 3)) {
    bytes.writeInt16LE(put - (at + 3), at + 1); // relative to the next instruction
  }
  bytes.writeUInt16LE(0x7c00 + bytes.length, bytes.indexOf(0xbe) + 1);

  const sector = Buffer.alloc(512);
  if (bytes.length + text.length > 510) throw new Error('the banner does not fit into a boot sector');
  bytes.copy(sector);
  text.copy(sector, bytes.length);
  sector.writeUInt16LE(0xaa55, 510);
  return sector;
}
