/// An enum whose numbers are enumerators of netpold_abi.h: `rawValue` names the constant of each case, and no number is
/// written a second time.
public protocol ABIEnumeration: RawRepresentable, CaseIterable, Hashable, Sendable where RawValue: FixedWidthInteger {}

extension ABIEnumeration {
    /// The case with this number, `nil` for a number this version does not know.
    @inlinable
    public init?(rawValue: RawValue) {
        guard let known = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = known
    }
}
