// Numbers that others published, copied as they are printed; `PaperValue` reads them.

extension PaperValue {
  /// One row a printed number: table, task, dataset, network, method, method_id, metric, mean, std,
  /// unit, role, variant, source.
  ///
  /// - Source: "Multi-Teacher Knowledge Distillation with Reinforcement Learning for Visual Recognition"
  ///   (MTKD-RL, AAAI 2025), tables 1 to 7, figure 2 and text; rows of `readme` from the README of its
  ///   release, winycg/MTKD-RL. Labels are unified: ShuffleNetv2 is ShuffleNetV2, "(Ours)" is dropped, AVER
  ///   in Table 3 is AVER (KD).
  static let printed = """
    table1,image classification,CIFAR-100,RegNetY-400MF,-,-,params,5.8,,M,teacher,,Table 1
    table1,image classification,CIFAR-100,RegNetY-400MF,-,-,flops,467.1,,M,teacher,,Table 1
    table1,image classification,CIFAR-100,RegNetY-400MF,Pretrained,pretrained,top1,78.87,,%,teacher,,Table 1
    table1,image classification,CIFAR-100,RegNetX-400MF,-,-,params,4.8,,M,teacher,,Table 1
    table1,image classification,CIFAR-100,RegNetX-400MF,-,-,flops,466.2,,M,teacher,,Table 1
    table1,image classification,CIFAR-100,RegNetX-400MF,Pretrained,pretrained,top1,79.15,,%,teacher,,Table 1
    table1,image classification,CIFAR-100,ResNet-32x4,-,-,params,7.4,,M,teacher,,Table 1
    table1,image classification,CIFAR-100,ResNet-32x4,-,-,flops,1083.0,,M,teacher,,Table 1
    table1,image classification,CIFAR-100,ResNet-32x4,Pretrained,pretrained,top1,79.59,,%,teacher,,Table 1
    table1,image classification,CIFAR-100,WRN-28-4,-,-,params,5.9,,M,teacher,,Table 1
    table1,image classification,CIFAR-100,WRN-28-4,-,-,flops,845.6,,M,teacher,,Table 1
    table1,image classification,CIFAR-100,WRN-28-4,Pretrained,pretrained,top1,79.37,,%,teacher,,Table 1
    table1,image classification,CIFAR-100,RegNetX-200MF,-,-,params,2.4,,M,student,,Table 1
    table1,image classification,CIFAR-100,RegNetX-200MF,-,-,flops,223.4,,M,student,,Table 1
    table1,image classification,CIFAR-100,RegNetX-200MF,Baseline,baseline,top1,77.38,0.23,%,student,,Table 1
    table1,image classification,CIFAR-100,RegNetX-200MF,AVER (KD),aver-kd,top1,78.64,0.31,%,student,,Table 1
    table1,image classification,CIFAR-100,RegNetX-200MF,AVER (KD+FitNet),aver-kd-fitnet,top1,79.12,0.28,%,student,,Table 1
    table1,image classification,CIFAR-100,RegNetX-200MF,AMTML-KD,amtml,top1,79.46,0.45,%,student,,Table 1
    table1,image classification,CIFAR-100,RegNetX-200MF,AEKD,aekd,top1,79.22,0.37,%,student,,Table 1
    table1,image classification,CIFAR-100,RegNetX-200MF,CA-MKD,camkd,top1,80.28,0.26,%,student,,Table 1
    table1,image classification,CIFAR-100,RegNetX-200MF,MMKD,mmkd,top1,80.15,0.41,%,student,,Table 1
    table1,image classification,CIFAR-100,RegNetX-200MF,MTKD-RL,mtkd-rl,top1,80.58,0.29,%,student,,Table 1
    table1,image classification,CIFAR-100,MobileNetV2,-,-,params,2.4,,M,student,,Table 1
    table1,image classification,CIFAR-100,MobileNetV2,-,-,flops,22.4,,M,student,,Table 1
    table1,image classification,CIFAR-100,MobileNetV2,Baseline,baseline,top1,69.17,0.18,%,student,,Table 1
    table1,image classification,CIFAR-100,MobileNetV2,AVER (KD),aver-kd,top1,71.85,0.27,%,student,,Table 1
    table1,image classification,CIFAR-100,MobileNetV2,AVER (KD+FitNet),aver-kd-fitnet,top1,72.67,0.26,%,student,,Table 1
    table1,image classification,CIFAR-100,MobileNetV2,AMTML-KD,amtml,top1,72.89,0.36,%,student,,Table 1
    table1,image classification,CIFAR-100,MobileNetV2,AEKD,aekd,top1,72.82,0.42,%,student,,Table 1
    table1,image classification,CIFAR-100,MobileNetV2,CA-MKD,camkd,top1,74.16,0.32,%,student,,Table 1
    table1,image classification,CIFAR-100,MobileNetV2,MMKD,mmkd,top1,74.35,0.34,%,student,,Table 1
    table1,image classification,CIFAR-100,MobileNetV2,MTKD-RL,mtkd-rl,top1,74.63,0.35,%,student,,Table 1
    table1,image classification,CIFAR-100,ShuffleNetV2,-,-,params,1.4,,M,student,,Table 1
    table1,image classification,CIFAR-100,ShuffleNetV2,-,-,flops,44.5,,M,student,,Table 1
    table1,image classification,CIFAR-100,ShuffleNetV2,Baseline,baseline,top1,72.84,0.15,%,student,,Table 1
    table1,image classification,CIFAR-100,ShuffleNetV2,AVER (KD),aver-kd,top1,75.77,0.18,%,student,,Table 1
    table1,image classification,CIFAR-100,ShuffleNetV2,AVER (KD+FitNet),aver-kd-fitnet,top1,76.83,0.34,%,student,,Table 1
    table1,image classification,CIFAR-100,ShuffleNetV2,AMTML-KD,amtml,top1,76.93,0.26,%,student,,Table 1
    table1,image classification,CIFAR-100,ShuffleNetV2,AEKD,aekd,top1,77.08,0.21,%,student,,Table 1
    table1,image classification,CIFAR-100,ShuffleNetV2,CA-MKD,camkd,top1,78.09,0.17,%,student,,Table 1
    table1,image classification,CIFAR-100,ShuffleNetV2,MMKD,mmkd,top1,77.87,0.20,%,student,,Table 1
    table1,image classification,CIFAR-100,ShuffleNetV2,MTKD-RL,mtkd-rl,top1,78.39,0.14,%,student,,Table 1
    table1,image classification,CIFAR-100,ResNet-56,-,-,params,0.9,,M,student,,Table 1
    table1,image classification,CIFAR-100,ResNet-56,-,-,flops,125.8,,M,student,,Table 1
    table1,image classification,CIFAR-100,ResNet-56,Baseline,baseline,top1,72.52,0.27,%,student,,Table 1
    table1,image classification,CIFAR-100,ResNet-56,AVER (KD),aver-kd,top1,73.57,0.29,%,student,,Table 1
    table1,image classification,CIFAR-100,ResNet-56,AVER (KD+FitNet),aver-kd-fitnet,top1,73.93,0.16,%,student,,Table 1
    table1,image classification,CIFAR-100,ResNet-56,AMTML-KD,amtml,top1,74.21,0.33,%,student,,Table 1
    table1,image classification,CIFAR-100,ResNet-56,AEKD,aekd,top1,74.02,0.39,%,student,,Table 1
    table1,image classification,CIFAR-100,ResNet-56,CA-MKD,camkd,top1,75.17,0.24,%,student,,Table 1
    table1,image classification,CIFAR-100,ResNet-56,MMKD,mmkd,top1,75.26,0.27,%,student,,Table 1
    table1,image classification,CIFAR-100,ResNet-56,MTKD-RL,mtkd-rl,top1,75.35,0.33,%,student,,Table 1
    table2,image classification,ImageNet,ResNet-50,-,-,params,25.6,,M,teacher,,Table 2
    table2,image classification,ImageNet,ResNet-50,-,-,flops,4.1,,G,teacher,,Table 2
    table2,image classification,ImageNet,ResNet-50,Pretrained,pretrained,top1,76.13,,%,teacher,,Table 2
    table2,image classification,ImageNet,ResNet-101,-,-,params,44.5,,M,teacher,,Table 2
    table2,image classification,ImageNet,ResNet-101,-,-,flops,7.8,,G,teacher,,Table 2
    table2,image classification,ImageNet,ResNet-101,Pretrained,pretrained,top1,77.37,,%,teacher,,Table 2
    table2,image classification,ImageNet,Wide ResNet-50-2,-,-,params,68.9,,M,teacher,,Table 2
    table2,image classification,ImageNet,Wide ResNet-50-2,-,-,flops,11.4,,G,teacher,,Table 2
    table2,image classification,ImageNet,Wide ResNet-50-2,Pretrained,pretrained,top1,78.47,,%,teacher,,Table 2
    table2,image classification,ImageNet,ResNeXt-50 (32x4d),-,-,params,25.0,,M,teacher,,Table 2
    table2,image classification,ImageNet,ResNeXt-50 (32x4d),-,-,flops,4.2,,G,teacher,,Table 2
    table2,image classification,ImageNet,ResNeXt-50 (32x4d),Pretrained,pretrained,top1,77.62,,%,teacher,,Table 2
    table2,image classification,ImageNet,ResNet-18,-,-,params,11.7,,M,student,,Table 2
    table2,image classification,ImageNet,ResNet-18,-,-,flops,1.8,,G,student,,Table 2
    table2,image classification,ImageNet,ResNet-18,Baseline,baseline,top1,70.35,,%,student,,Table 2
    table2,image classification,ImageNet,ResNet-18,AVER (KD),aver-kd,top1,71.52,,%,student,,Table 2
    table2,image classification,ImageNet,ResNet-18,AVER (KD+FitNet),aver-kd-fitnet,top1,71.56,,%,student,,Table 2
    table2,image classification,ImageNet,ResNet-18,AMTML-KD,amtml,top1,71.89,,%,student,,Table 2
    table2,image classification,ImageNet,ResNet-18,AEKD,aekd,top1,71.67,,%,student,,Table 2
    table2,image classification,ImageNet,ResNet-18,CA-MKD,camkd,top1,72.38,,%,student,,Table 2
    table2,image classification,ImageNet,ResNet-18,MMKD,mmkd,top1,72.33,,%,student,,Table 2
    table2,image classification,ImageNet,ResNet-18,MTKD-RL,mtkd-rl,top1,72.82,,%,student,,Table 2
    table2,image classification,ImageNet,ResNet-34,-,-,params,21.8,,M,student,,Table 2
    table2,image classification,ImageNet,ResNet-34,-,-,flops,3.7,,G,student,,Table 2
    table2,image classification,ImageNet,ResNet-34,Baseline,baseline,top1,73.64,,%,student,,Table 2
    table2,image classification,ImageNet,ResNet-34,AVER (KD),aver-kd,top1,75.32,,%,student,,Table 2
    table2,image classification,ImageNet,ResNet-34,AVER (KD+FitNet),aver-kd-fitnet,top1,75.55,,%,student,,Table 2
    table2,image classification,ImageNet,ResNet-34,AMTML-KD,amtml,top1,75.68,,%,student,,Table 2
    table2,image classification,ImageNet,ResNet-34,AEKD,aekd,top1,75.66,,%,student,,Table 2
    table2,image classification,ImageNet,ResNet-34,CA-MKD,camkd,top1,75.87,,%,student,,Table 2
    table2,image classification,ImageNet,ResNet-34,MMKD,mmkd,top1,76.06,,%,student,,Table 2
    table2,image classification,ImageNet,ResNet-34,MTKD-RL,mtkd-rl,top1,76.77,,%,student,,Table 2
    table3,image classification,ImageNet,CaiT-S24,-,-,params,46.9,,M,teacher,,Table 3
    table3,image classification,ImageNet,CaiT-S24,-,-,flops,9.4,,G,teacher,,Table 3
    table3,image classification,ImageNet,CaiT-S24,Pretrained,pretrained,top1,83.36,,%,teacher,,Table 3
    table3,image classification,ImageNet,DeiT-Small,-,-,params,22.1,,M,teacher,,Table 3
    table3,image classification,ImageNet,DeiT-Small,-,-,flops,4.6,,G,teacher,,Table 3
    table3,image classification,ImageNet,DeiT-Small,Pretrained,pretrained,top1,79.82,,%,teacher,,Table 3
    table3,image classification,ImageNet,DeiT-Base,-,-,params,86.6,,M,teacher,,Table 3
    table3,image classification,ImageNet,DeiT-Base,-,-,flops,17.5,,G,teacher,,Table 3
    table3,image classification,ImageNet,DeiT-Base,Pretrained,pretrained,top1,81.80,,%,teacher,,Table 3
    table3,image classification,ImageNet,DeiT-Tiny,-,-,params,5.7,,M,student,,Table 3
    table3,image classification,ImageNet,DeiT-Tiny,-,-,flops,1.3,,G,student,,Table 3
    table3,image classification,ImageNet,DeiT-Tiny,Baseline,baseline,top1,72.23,,%,student,,Table 3
    table3,image classification,ImageNet,DeiT-Tiny,AVER (KD),aver-kd,top1,73.87,,%,student,,Table 3
    table3,image classification,ImageNet,DeiT-Tiny,AVER (KD+FitNet),aver-kd-fitnet,top1,73.98,,%,student,,Table 3
    table3,image classification,ImageNet,DeiT-Tiny,AMTML-KD,amtml,top1,73.68,,%,student,,Table 3
    table3,image classification,ImageNet,DeiT-Tiny,AEKD,aekd,top1,73.72,,%,student,,Table 3
    table3,image classification,ImageNet,DeiT-Tiny,CA-MKD,camkd,top1,74.12,,%,student,,Table 3
    table3,image classification,ImageNet,DeiT-Tiny,MMKD,mmkd,top1,74.35,,%,student,,Table 3
    table3,image classification,ImageNet,DeiT-Tiny,MTKD-RL,mtkd-rl,top1,75.14,,%,student,,Table 3
    table3,image classification,ImageNet,CaiT-XXS24,-,-,params,12.0,,M,student,,Table 3
    table3,image classification,ImageNet,CaiT-XXS24,-,-,flops,2.5,,G,student,,Table 3
    table3,image classification,ImageNet,CaiT-XXS24,Baseline,baseline,top1,77.32,,%,student,,Table 3
    table3,image classification,ImageNet,CaiT-XXS24,AVER (KD),aver-kd,top1,78.36,,%,student,,Table 3 (printed as AVER; read as AVER (KD))
    table3,image classification,ImageNet,CaiT-XXS24,AVER (KD+FitNet),aver-kd-fitnet,top1,78.27,,%,student,,Table 3
    table3,image classification,ImageNet,CaiT-XXS24,AMTML-KD,amtml,top1,78.57,,%,student,,Table 3
    table3,image classification,ImageNet,CaiT-XXS24,AEKD,aekd,top1,78.44,,%,student,,Table 3
    table3,image classification,ImageNet,CaiT-XXS24,CA-MKD,camkd,top1,78.65,,%,student,,Table 3
    table3,image classification,ImageNet,CaiT-XXS24,MMKD,mmkd,top1,78.42,,%,student,,Table 3
    table3,image classification,ImageNet,CaiT-XXS24,MTKD-RL,mtkd-rl,top1,79.22,,%,student,,Table 3
    table4,object detection,COCO-2017,ResNet-18,Baseline,baseline,mAP,34.1,,%,downstream backbone,Mask-RCNN,Table 4
    table4,object detection,COCO-2017,ResNet-18,MTKD-RL,mtkd-rl,mAP,35.1,,%,downstream backbone,Mask-RCNN,Table 4
    table4,object detection,COCO-2017,ResNet-18,Baseline,baseline,mAP,36.5,,%,downstream backbone,Cascade-RCNN,Table 4
    table4,object detection,COCO-2017,ResNet-18,MTKD-RL,mtkd-rl,mAP,37.7,,%,downstream backbone,Cascade-RCNN,Table 4
    table4,object detection,COCO-2017,ResNet-18,Baseline,baseline,mAP,31.6,,%,downstream backbone,RetinaNet,Table 4
    table4,object detection,COCO-2017,ResNet-18,MTKD-RL,mtkd-rl,mAP,32.7,,%,downstream backbone,RetinaNet,Table 4
    table4,object detection,COCO-2017,ResNet-18,Baseline,baseline,mAP,33.5,,%,downstream backbone,Faster-RCNN,Table 4
    table4,object detection,COCO-2017,ResNet-18,MTKD-RL,mtkd-rl,mAP,34.7,,%,downstream backbone,Faster-RCNN,Table 4
    table4,object detection,COCO-2017,ResNet-34,Baseline,baseline,mAP,37.6,,%,downstream backbone,Mask-RCNN,Table 4
    table4,object detection,COCO-2017,ResNet-34,MTKD-RL,mtkd-rl,mAP,39.0,,%,downstream backbone,Mask-RCNN,Table 4
    table4,object detection,COCO-2017,ResNet-34,Baseline,baseline,mAP,39.6,,%,downstream backbone,Cascade-RCNN,Table 4
    table4,object detection,COCO-2017,ResNet-34,MTKD-RL,mtkd-rl,mAP,40.8,,%,downstream backbone,Cascade-RCNN,Table 4
    table4,object detection,COCO-2017,ResNet-34,Baseline,baseline,mAP,35.2,,%,downstream backbone,RetinaNet,Table 4
    table4,object detection,COCO-2017,ResNet-34,MTKD-RL,mtkd-rl,mAP,36.9,,%,downstream backbone,RetinaNet,Table 4
    table4,object detection,COCO-2017,ResNet-34,Baseline,baseline,mAP,37.0,,%,downstream backbone,Faster-RCNN,Table 4
    table4,object detection,COCO-2017,ResNet-34,MTKD-RL,mtkd-rl,mAP,38.5,,%,downstream backbone,Faster-RCNN,Table 4
    table5,semantic segmentation,Cityscapes,ResNet-34,Baseline,baseline,mIoU,76.34,,%,downstream backbone,DeepLabV3,Table 5 (the paper does not print the metric name; mIoU assumed)
    table5,semantic segmentation,ADE20K,ResNet-34,Baseline,baseline,mIoU,36.08,,%,downstream backbone,DeepLabV3,Table 5 (the paper does not print the metric name; mIoU assumed)
    table5,semantic segmentation,COCO-Stuff-164K,ResNet-34,Baseline,baseline,mIoU,29.97,,%,downstream backbone,DeepLabV3,Table 5 (the paper does not print the metric name; mIoU assumed)
    table5,semantic segmentation,Cityscapes,ResNet-34,MTKD-RL,mtkd-rl,mIoU,77.42,,%,downstream backbone,DeepLabV3,Table 5 (the paper does not print the metric name; mIoU assumed)
    table5,semantic segmentation,ADE20K,ResNet-34,MTKD-RL,mtkd-rl,mIoU,37.07,,%,downstream backbone,DeepLabV3,Table 5 (the paper does not print the metric name; mIoU assumed)
    table5,semantic segmentation,COCO-Stuff-164K,ResNet-34,MTKD-RL,mtkd-rl,mIoU,31.82,,%,downstream backbone,DeepLabV3,Table 5 (the paper does not print the metric name; mIoU assumed)
    table5,semantic segmentation,Cityscapes,ResNet-34,Baseline,baseline,mIoU,74.60,,%,downstream backbone,PSPNet,Table 5 (the paper does not print the metric name; mIoU assumed)
    table5,semantic segmentation,ADE20K,ResNet-34,Baseline,baseline,mIoU,36.84,,%,downstream backbone,PSPNet,Table 5 (the paper does not print the metric name; mIoU assumed)
    table5,semantic segmentation,COCO-Stuff-164K,ResNet-34,Baseline,baseline,mIoU,31.25,,%,downstream backbone,PSPNet,Table 5 (the paper does not print the metric name; mIoU assumed)
    table5,semantic segmentation,Cityscapes,ResNet-34,MTKD-RL,mtkd-rl,mIoU,75.89,,%,downstream backbone,PSPNet,Table 5 (the paper does not print the metric name; mIoU assumed)
    table5,semantic segmentation,ADE20K,ResNet-34,MTKD-RL,mtkd-rl,mIoU,37.78,,%,downstream backbone,PSPNet,Table 5 (the paper does not print the metric name; mIoU assumed)
    table5,semantic segmentation,COCO-Stuff-164K,ResNet-34,MTKD-RL,mtkd-rl,mIoU,32.39,,%,downstream backbone,PSPNet,Table 5 (the paper does not print the metric name; mIoU assumed)
    table6a,image classification,CIFAR-100,ShuffleNetV2,MTKD-RL,mtkd-rl,top1,78.39,0.14,%,student,PG,Table 6(a)
    table6a,image classification,CIFAR-100,ShuffleNetV2,MTKD-RL,mtkd-rl,top1,78.16,0.11,%,student,DPG,Table 6(a)
    table6a,image classification,CIFAR-100,ShuffleNetV2,MTKD-RL,mtkd-rl,top1,78.05,0.22,%,student,DDPG,Table 6(a)
    table6a,image classification,CIFAR-100,ShuffleNetV2,MTKD-RL,mtkd-rl,top1,78.28,0.08,%,student,PPO,Table 6(a)
    table6b,image classification,CIFAR-100,ShuffleNetV2,AVER (KD+FitNet),aver-kd-fitnet,top1,76.83,0.34,%,student,,Table 6(b)
    table6b,image classification,CIFAR-100,ShuffleNetV2,MTKD-RL,mtkd-rl,top1,77.84,0.17,%,student,performance,Table 6(b)
    table6b,image classification,CIFAR-100,ShuffleNetV2,MTKD-RL,mtkd-rl,top1,77.46,0.21,%,student,gap,Table 6(b)
    table6b,image classification,CIFAR-100,ShuffleNetV2,MTKD-RL,mtkd-rl,top1,78.39,0.14,%,student,all,Table 6(b)
    table6c,image classification,CIFAR-100,ShuffleNetV2,Baseline,baseline,time_per_epoch,29,,s,student,one RTX 4090,Table 6(c)
    table6c,image classification,CIFAR-100,ShuffleNetV2,Baseline,baseline,peak_memory,2.3,,G,student,one RTX 4090,Table 6(c)
    table6c,image classification,CIFAR-100,ShuffleNetV2,Baseline,baseline,top1,72.84,0.15,%,student,,Table 6(c)
    table6c,image classification,CIFAR-100,ShuffleNetV2,AVER (KD+FitNet),aver-kd-fitnet,time_per_epoch,41,,s,student,one RTX 4090,Table 6(c)
    table6c,image classification,CIFAR-100,ShuffleNetV2,AVER (KD+FitNet),aver-kd-fitnet,peak_memory,2.8,,G,student,one RTX 4090,Table 6(c)
    table6c,image classification,CIFAR-100,ShuffleNetV2,AVER (KD+FitNet),aver-kd-fitnet,top1,76.83,0.34,%,student,,Table 6(c)
    table6c,image classification,CIFAR-100,ShuffleNetV2,CA-MKD,camkd,time_per_epoch,54,,s,student,one RTX 4090,Table 6(c)
    table6c,image classification,CIFAR-100,ShuffleNetV2,CA-MKD,camkd,peak_memory,2.9,,G,student,one RTX 4090,Table 6(c)
    table6c,image classification,CIFAR-100,ShuffleNetV2,CA-MKD,camkd,top1,78.09,0.17,%,student,,Table 6(c)
    table6c,image classification,CIFAR-100,ShuffleNetV2,MTKD-RL,mtkd-rl,time_per_epoch,47,,s,student,one RTX 4090,Table 6(c)
    table6c,image classification,CIFAR-100,ShuffleNetV2,MTKD-RL,mtkd-rl,peak_memory,3.2,,G,student,one RTX 4090,Table 6(c)
    table6c,image classification,CIFAR-100,ShuffleNetV2,MTKD-RL,mtkd-rl,top1,78.39,0.14,%,student,,Table 6(c)
    table7,image classification,ImageNet,ResNet-18,Baseline,baseline,top1,70.35,,%,student,,Table 7
    table7,image classification,ImageNet,ResNet-18,MTKD-RL,mtkd-rl,top1,72.82,,%,student,,Table 7
    table7,image classification,ImageNet,ResNet-18,MTKD-RL+DIST,mtkd-rl+dist,top1,73.29,,%,student,,Table 7
    table7,image classification,ImageNet,ResNet-18,MTKD-RL+ND,mtkd-rl+nd,top1,73.61,,%,student,,Table 7
    figure2,image classification,CIFAR-100,ShuffleNetV2,MTKD-RL,mtkd-rl,gain_over_baseline,4.14,,pp,student,logit-level KD only,"text, ablation of loss terms"
    figure2,image classification,CIFAR-100,ShuffleNetV2,MTKD-RL,mtkd-rl,gain_over_baseline,3.61,,pp,student,feature-level KD only,"text, ablation of loss terms"
    figure2,image classification,CIFAR-100,ShuffleNetV2,MTKD-RL,mtkd-rl,gain_over_baseline,5.55,,pp,student,logit- and feature-level KD,"text, ablation of loss terms"
    figure2,image classification,CIFAR-100,ShuffleNetV2,MTKD-RL,mtkd-rl,top1,76.98,,%,student,logit-level KD only,derived: 72.84 (Table 1 baseline) + 4.14
    figure2,image classification,CIFAR-100,ShuffleNetV2,MTKD-RL,mtkd-rl,top1,76.45,,%,student,feature-level KD only,derived: 72.84 + 3.61
    figure2,image classification,CIFAR-100,ShuffleNetV2,MTKD-RL,mtkd-rl,top1,78.39,,%,student,logit- and feature-level KD,derived: 72.84 + 5.55; equals Table 1
    figure2,image classification,CIFAR-100,ShuffleNetV2,MTKD-RL,mtkd-rl,best_alpha,1,,-,student,beta = 5,"text, parameter analysis"
    figure2,image classification,CIFAR-100,ShuffleNetV2,MTKD-RL,mtkd-rl,best_beta,5,,-,student,alpha = 1,"text, parameter analysis"
    figure2,image classification,CIFAR-100,ShuffleNetV2,MTKD-RL,mtkd-rl,saturation_teacher_count,4,,-,student,,"text, impact of the number of teachers"
    readme,image classification,CIFAR-100,RegNetX-200MF,MTKD-RL,mtkd-rl,top1,79.93,,%,student,dynamic,winycg/MTKD-RL README.md
    readme,image classification,CIFAR-100,RegNetX-200MF,MTKD-RL,mtkd-rl,top1,80.58,,%,student,static,winycg/MTKD-RL README.md
    readme,image classification,CIFAR-100,MobileNetV2,MTKD-RL,mtkd-rl,top1,74.77,,%,student,dynamic,winycg/MTKD-RL README.md
    readme,image classification,CIFAR-100,MobileNetV2,MTKD-RL,mtkd-rl,top1,74.29,,%,student,static,winycg/MTKD-RL README.md
    readme,image classification,CIFAR-100,ShuffleNetV2,MTKD-RL,mtkd-rl,top1,78.74,,%,student,dynamic,winycg/MTKD-RL README.md
    readme,image classification,CIFAR-100,ShuffleNetV2,MTKD-RL,mtkd-rl,top1,78.35,,%,student,static,winycg/MTKD-RL README.md
    readme,image classification,CIFAR-100,ResNet-56,MTKD-RL,mtkd-rl,top1,74.95,,%,student,dynamic,winycg/MTKD-RL README.md
    readme,image classification,CIFAR-100,ResNet-56,MTKD-RL,mtkd-rl,top1,75.51,,%,student,static,winycg/MTKD-RL README.md
    """

  /// What the paper's text claims of its tables, and what the tables give: claim, paper_value,
  /// recomputed_from_tables, agrees, source.
  static let printedClaims = """
    "AVER (KD) minus Baseline, mean of 4 students",2.46,1.9800,NO,text on Table 1
    "AVER (KD+FitNet) minus AVER (KD), mean of 4 students",0.68,0.6800,yes,text on Table 1
    "MTKD-RL minus CA-MKD, mean of 4 students",0.31,0.3125,yes,text on Table 1
    "MTKD-RL minus MMKD, mean of 4 students",0.33,0.3300,yes,text on Table 1
    "MTKD-RL minus Baseline, ResNet-18",2.47,2.4700,yes,text on Table 2
    "MTKD-RL minus Baseline, ResNet-34",3.13,3.1300,yes,text on Table 2
    "MTKD-RL minus AVER (KD+FitNet), mean",1.24,1.2400,yes,text on Table 2
    "MTKD-RL minus MMKD, ResNet-18",0.49,0.4900,yes,text on Table 2
    "MTKD-RL minus MMKD, ResNet-34",0.71,0.7100,yes,text on Table 2
    "MTKD-RL minus Baseline, DeiT-Tiny",2.91,2.9100,yes,text on Table 3
    "MTKD-RL minus Baseline, CaiT-XXS24",1.90,1.9000,yes,text on Table 3
    "MTKD-RL minus MMKD, mean",0.80,0.7950,yes,text on Table 3
    "detection gain, ResNet-18, mean of 4 detectors",1.1,1.1250,yes,text on Table 4
    "detection gain, ResNet-34, mean of 4 detectors",1.5,1.4500,yes,text on Table 4
    "segmentation gain, Cityscapes, mean of 2 heads",1.19,1.1850,yes,text on Table 5
    "segmentation gain, ADE20K, mean of 2 heads",0.97,0.9650,yes,text on Table 5
    "segmentation gain, COCO-Stuff-164K, mean of 2 heads",1.50,1.4950,yes,text on Table 5
    performance-only state minus AVER,1.01,1.0100,yes,text on Table 6(b)
    gap-only state minus AVER,0.63,0.6300,yes,text on Table 6(b)
    full state minus AVER,1.56,1.5600,yes,text on Table 6(b)
    "time of MTKD-RL over AVER, extra %",15,14.6341,yes,text on Table 6(c)
    "memory of MTKD-RL over AVER, extra %",14,14.2857,yes,text on Table 6(c)
    "time of MTKD-RL under CA-MKD, %",13,12.9630,yes,text on Table 6(c)
    "memory of MTKD-RL over CA-MKD, extra %",10,10.3448,yes,text on Table 6(c)
    +DIST minus MTKD-RL,0.47,0.4700,yes,text on Table 7
    +ND minus MTKD-RL,0.79,0.7900,yes,text on Table 7
    "Fig. 2 both terms, gain",5.55,5.5500,yes,text on Fig. 2
    """
}
