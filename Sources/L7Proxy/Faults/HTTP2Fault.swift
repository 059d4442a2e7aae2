internal import NIOHTTP2

/// Why a peer's HTTP/2 ends its connection. The raw value is the name in logs and tests.
public enum HTTP2Fault: String, Hashable, CaseIterable, Sendable {
    /// Frames that are none, or that may not come here; also fields that their compression makes longer than `ScanLimits.head` (an
    /// HPACK bomb): the codec (swift-nio-http2 1.46) does not tell it from other errors of the compression.
    case frames = "http2-frames"
    /// "Rapid reset": more than `ProxyLimits.resets` streams reset in 30 s.
    case resets = "http2-resets"
    /// More than `ProxyLimits.resets` streams with errors.
    case streamErrors = "http2-stream-errors"
    /// More than `ProxyLimits.controlFrames` PING, SETTINGS and PRIORITY frames in a second.
    case controlFrames = "http2-control-frames"
    /// More WINDOW_UPDATE frames than what was sent to the peer accounts for (`ProxyLimits.windowUpdates`).
    case windowUpdates = "http2-window-updates"
    /// Bytes of a body beyond the window that was granted for them.
    case flowControl = "http2-flow-control"
    /// DATA frames in a row that carry nothing.
    case emptyData = "http2-empty-data"
    /// A head in too many CONTINUATION frames.
    case continuation = "http2-continuation"
    /// Fields that are longer than `ScanLimits.head` in all, as they are sent.
    case fieldsTooLong = "http2-fields-too-long"
    /// Answers to PING, SETTINGS and streams that the peer does not read.
    case unreadAnswers = "http2-unread-answers"
    /// A stream whose receiver took nothing for `ProxyLimits.stallTimeout`, while so much waited that other streams were granted nothing.
    /// It is reset, the connection goes on.
    case stalled = "http2-stalled"
    /// A server's answers before its answer, more than `ScanLimits.interims`.
    case interims = "http2-interims"

    /// What the peer is told, of faults that the codec does not find itself.
    var code: HTTP2ErrorCode? {
        switch self {
        case .flowControl: .flowControlError
        case .windowUpdates: .enhanceYourCalm
        case .frames, .resets, .streamErrors, .controlFrames, .emptyData, .continuation, .fieldsTooLong, .unreadAnswers,
            .stalled, .interims:
            nil
        }
    }

    /// The fault that an error of the codec stands for.
    init(_ error: any Error) {
        self =
            switch error {
            case is NIOHTTP2Errors.ExcessiveRSTFrames: .resets
            case is NIOHTTP2Errors.ExcessiveStreamErrors, is NIOHTTP2Errors.ExcessiveNumberOfGlitches: .streamErrors
            case is NIOHTTP2Errors.ExcessiveControlFrames: .controlFrames
            case is NIOHTTP2Errors.FlowControlViolation: .flowControl
            case is NIOHTTP2Errors.ExcessiveEmptyDataFrames: .emptyData
            case is NIOHTTP2Errors.ExcessiveContinuationFrames: .continuation
            case is NIOHTTP2Errors.ExcessivelyLargeHeaderBlock: .fieldsTooLong
            case is NIOHTTP2Errors.ExcessiveOutboundFrameBuffering: .unreadAnswers
            default: .frames
            }
    }
}
