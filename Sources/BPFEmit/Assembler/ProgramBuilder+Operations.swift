extension ProgramBuilder {
    /// `destination = source`.
    public mutating func move(_ destination: Register, _ source: Register) {
        append(.arithmetic(.move, .bits64, destination, .register(source)))
    }

    /// `destination = immediate`, sign-extended to 64 bits.
    public mutating func move(_ destination: Register, imm value: Int32) {
        append(.arithmetic(.move, .bits64, destination, .immediate(value)))
    }

    /// `destination = constant` in the shortest form that gives exactly this value.
    public mutating func move(_ destination: Register, constant: UInt64) {
        if let value = Int32(exactly: Int64(bitPattern: constant)) {
            move(destination, imm: value)
        } else if let value = UInt32(exactly: constant) {
            append(.arithmetic(.move, .bits32, destination, .immediate(Int32(bitPattern: value))))
        } else {
            append(.loadConstant(destination, constant))
        }
    }

    /// `destination += immediate`, sign-extended.
    public mutating func add(_ destination: Register, imm value: Int32) {
        append(.arithmetic(.add, .bits64, destination, .immediate(value)))
    }

    /// `destination &= source`.
    public mutating func and(_ destination: Register, _ source: Register) {
        append(.arithmetic(.and, .bits64, destination, .register(source)))
    }

    /// `destination &= mask` in the shortest form; `scratch` is overwritten when the mask needs 64 bits.
    public mutating func and(_ destination: Register, mask: UInt64, scratch: Register) {
        if mask == .max { return }
        if let value = Int32(exactly: Int64(bitPattern: mask)) {
            append(.arithmetic(.and, .bits64, destination, .immediate(value)))
        } else if let value = UInt32(exactly: mask) {
            // The high half of the mask is zero, and 32-bit arithmetic clears the high half of the register.
            append(.arithmetic(.and, .bits32, destination, .immediate(Int32(bitPattern: value))))
        } else {
            append(.loadConstant(scratch, mask))
            and(destination, scratch)
        }
    }

    /// `destination |= bits` in the shortest form; `scratch` is overwritten when they need 64 bits.
    public mutating func or(_ destination: Register, bits: UInt64, scratch: Register) {
        if bits == 0 { return }
        if let value = Int32(exactly: Int64(bitPattern: bits)) {
            append(.arithmetic(.or, .bits64, destination, .immediate(value)))
        } else {
            // A 32-bit or would clear the high half of the register, so there is no middle form here.
            move(scratch, constant: bits)
            append(.arithmetic(.or, .bits64, destination, .register(scratch)))
        }
    }

    /// `destination *= source`.
    public mutating func multiply(_ destination: Register, _ source: Register) {
        append(.arithmetic(.multiply, .bits64, destination, .register(source)))
    }

    /// `destination |= source`.
    public mutating func or(_ destination: Register, _ source: Register) {
        append(.arithmetic(.or, .bits64, destination, .register(source)))
    }

    /// `destination = -destination`.
    public mutating func negate(_ destination: Register) { append(.negate(.bits64, destination)) }

    /// `destination >>= immediate`, filling with zeroes.
    public mutating func shiftRight(_ destination: Register, imm value: Int32) {
        append(.arithmetic(.shiftRight, .bits64, destination, .immediate(value)))
    }

    /// `destination = *(size *)(base + offset)`, zero-extended.
    public mutating func load(_ size: AccessSize, _ destination: Register, _ base: Register, _ offset: Int16) {
        append(.load(size, destination, base: base, offset: offset))
    }

    /// `*(size *)(base + offset) = source`.
    public mutating func store(_ size: AccessSize, _ base: Register, _ offset: Int16, _ source: Register) {
        append(.store(size, base: base, offset: offset, source: source))
    }

    /// `destination = map`.
    public mutating func load(_ destination: Register, map: MapSymbol) { append(.loadMap(destination, map)) }

    /// `call helper`.
    public mutating func call(_ helper: Helper) { append(.call(helper)) }

    /// Returns r0.
    public mutating func exit() { append(.exit) }

    /// `return value`.
    public mutating func exit(returning value: Int32) {
        move(.r0, imm: value)
        exit()
    }
}
