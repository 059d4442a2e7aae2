extension PolicyImage {
    /// The program as text, each block with the rules it is about. Empty for words that are not of the emitted subset,
    /// which `PolicyEmitter` never gives.
    public var disassembly: String {
        let text = try? Disassembler.text(program) { number in
            bits.indices.contains(number) ? bits[number].text : "bit \(number)"
        }
        return text ?? ""
    }
}

extension RuleBit {
    /// `rule 0 allow L7 NetworkPolicy shop/allow-web spec.ingress[0] (shop.yaml:12:5)`.
    fileprivate var text: String { "rule \(rule) \(action)\(isL7 ? " L7" : "") \(origin)" }
}
